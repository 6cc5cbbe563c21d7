package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/collect"
)

func TestBodiesOfTheOtherOperations(t *testing.T) {
	t.Parallel()
	type ask func(*client.Client) error
	complete := func(r client.CompletionRequest) ask {
		return func(c *client.Client) error { return second(c.Complete(t.Context(), &r)) }
	}
	embed := func(r client.EmbedRequest) ask {
		return func(c *client.Client) error { return second(c.Embed(t.Context(), &r)) }
	}
	for want, c := range map[string]struct {
		ask    ask
		answer clienttest.Answer
	}{
		`POST /completions {"prompt":"a","max_tokens":0,"temperature":0.5,"stop":["x"],"echo":true}`: {
			complete(client.CompletionRequest{Prompt: []string{"a"}, MaxTokens: new(0), Temperature: new(0.5), Stop: []string{"x"}, Extra: map[string]any{"echo": true}}), clienttest.Complete("b"),
		},
		`POST /completions {"prompt":["a","b"],"model":"m"}`: {complete(client.CompletionRequest{Model: "m", Prompt: []string{"a", "b"}}), clienttest.Complete("b")},
		`POST /completions {"prompt":[[1,2]]}`:               {complete(client.CompletionRequest{Tokens: [][]int{{1, 2}}}), clienttest.Complete("b")},
		`POST /completions {"prompt":"a","stream":true}`: {
			func(c *client.Client) error {
				return second(collect.Completion(c.CompleteStream(t.Context(), &client.CompletionRequest{Prompt: []string{"a"}})))
			}, clienttest.Complete("b"),
		},
		`POST /embeddings {"input":["a"],"dimensions":2,"encoding_format":"base64","input_type":"query"}`: {
			embed(client.EmbedRequest{Input: []string{"a"}, Dimensions: new(2), EncodingFormat: client.EncodingBase64, InputType: client.InputQuery}), clienttest.Embeddings("AACAPwAAAMA="),
		},
		`POST /embeddings {"input":[[1],[2,3]],"model":"m"}`: {embed(client.EmbedRequest{Model: "m", Tokens: [][]int{{1}, {2, 3}}}), clienttest.Embeddings([]int{1}, []int{2})},
		`POST /images/embeddings {"model":"m","input":[{"image":"data:x","text":"t"},{"image":"data:y"}]}`: {
			func(c *client.Client) error {
				return second(c.EmbedImages(t.Context(), &client.EmbedImagesRequest{Model: "m", Input: []client.ImageInput{{"data:x", "t"}, {Image: "data:y"}}}))
			}, clienttest.Embeddings([]int{1}, []int{2}),
		},
		`GET /info `: {func(c *client.Client) error { return second(c.Info(t.Context(), "")) }, clienttest.Info("m", "chat_completion", "p")},
	} {
		endpoint := clienttest.New(c.answer)
		if err := c.ask(endpoint.Client()); err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		r := endpoint.Requests()[0]
		path, _, _ := strings.Cut(r.Path, "?")
		if got := fmt.Sprintf("%s %s %s", r.Method, path, r.Body); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestRequestsOfTheOtherOperationsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	c := clienttest.New().Client()
	for name, err := range map[string]error{
		"no completion":      second(c.Complete(t.Context(), nil)),
		"no prompt":          second(c.Complete(t.Context(), &client.CompletionRequest{})),
		"texts and tokens":   second(c.Complete(t.Context(), &client.CompletionRequest{Prompt: []string{"a"}, Tokens: [][]int{{1}}})),
		"no embedding":       second(c.Embed(t.Context(), nil)),
		"no input":           second(c.Embed(t.Context(), &client.EmbedRequest{})),
		"inputs and tokens":  second(c.Embed(t.Context(), &client.EmbedRequest{Input: []string{"a"}, Tokens: [][]int{{1}}})),
		"no image embedding": second(c.EmbedImages(t.Context(), nil)),
		"no images":          second(c.EmbedImages(t.Context(), &client.EmbedImagesRequest{})),
		"input twice":        second(c.Embed(t.Context(), &client.EmbedRequest{Input: []string{"a"}, Extra: map[string]any{"input": "b"}})),
		"a stream":           second(c.Complete(t.Context(), &client.CompletionRequest{Prompt: []string{"a"}, Extra: map[string]any{"stream": true}})),
	} {
		if err == nil || errors.Is(err, clienttest.ErrOver) {
			t.Errorf("%s: got %v, want an error before any call", name, err)
		}
	}
}

func TestEveryEncodingIsDecoded(t *testing.T) {
	t.Parallel()
	for encoding, c := range map[client.EncodingFormat]struct {
		answer any
		want   client.Embedding
	}{
		"":                     {[]float32{1, -2}, client.Embedding{Floats: []float32{1, -2}}},
		client.EncodingFloat:   {[]float32{1, -2}, client.Embedding{Floats: []float32{1, -2}}},
		client.EncodingBase64:  {"AACAPwAAAMA=", client.Embedding{Floats: []float32{1, -2}}},
		client.EncodingInt8:    {[]int{-128, 127}, client.Embedding{Int8: []int8{-128, 127}}},
		client.EncodingUint8:   {[]int{0, 255}, client.Embedding{Uint8: []uint8{0, 255}}},
		client.EncodingBinary:  {[]int{-128, 52}, client.Embedding{Bits: []byte{0, 180}}},
		client.EncodingUbinary: {[]int{0, 180}, client.Embedding{Bits: []byte{0, 180}}},
	} {
		reply, err := clienttest.New(clienttest.Embeddings(c.answer)).Client().Embed(t.Context(), &client.EmbedRequest{Input: []string{"a"}, EncodingFormat: encoding})
		if err != nil {
			t.Errorf("%s: %v", encoding, err)
			continue
		}
		if got := reply.Data[0]; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", encoding, got, c.want)
		}
	}
	for name, answer := range map[string]clienttest.Answer{
		"too few":        clienttest.Embeddings(),
		"too many":       clienttest.Embeddings([]int{1}, []int{1}),
		"no numbers":     clienttest.Embeddings("?"),
		"nothing":        clienttest.JSON(200, ""),
		"another answer": clienttest.Chat("x"),
	} {
		if got, err := clienttest.New(answer).Client().Embed(t.Context(), &client.EmbedRequest{Input: []string{"a"}}); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestADeploymentIsChosenByHeaderAndATargetURIIsCut(t *testing.T) {
	t.Parallel()
	for _, route := range []string{"", "/chat/completions", "/completions", "/embeddings", "/images/embeddings", "/info", "/info/"} {
		endpoint := clienttest.New(clienttest.Info("m", "", ""))
		options := endpoint.Options()
		options.Deployment = "blue"
		c, err := client.New("https://host.test/openai/deployments/a%2Fb"+route, nil, options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Info(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		r := endpoint.Requests()[0]
		if want := "/openai/deployments/a%2Fb/info?api-version=2024-05-01-preview"; r.Path != want || r.Header.Get("azureml-model-deployment") != "blue" {
			t.Errorf("got %s, %v, want %s", r.Path, r.Header, want)
		}
		for _, name := range []string{"Api-Key", "Authorization"} {
			if _, ok := r.Header[name]; ok {
				t.Errorf("a credential of nil sends %s", name)
			}
		}
	}
	if _, err := client.New("https://host.test", client.Key(""), nil); err == nil {
		t.Error("an empty key passed")
	}
}

func TestFailedConnectionsAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		again bool
	}{
		"refused":      {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		"closed":       {fmt.Errorf("read: %w", syscall.ECONNRESET), false},
		"reset":        {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		"anything":     {errors.New("no such certificate"), false},
		"our deadline": {context.DeadlineExceeded, true}, // of http.Client.Timeout, since the context lasts
	} {
		synctest.Test(t, func(t *testing.T) {
			endpoint := clienttest.New(clienttest.Fail(c.err), clienttest.Chat("Hello."))
			options := endpoint.Options()
			options.Retry = client.Retry{}
			cl, err := client.New("http://host.test", nil, options)
			if err != nil {
				t.Fatal(err)
			}
			reply, err := cl.Chat(t.Context(), hello())
			if c.again != (err == nil) || c.again && reply.Text() != "Hello." || !c.again && !errors.Is(err, c.err) {
				t.Errorf("%s: got %v, %v", name, reply, err)
			}
		})
	}
}

func TestRetryIfDecides(t *testing.T) {
	t.Parallel()
	refused := clienttest.Error(http.StatusConflict, "busy", "later", 0)
	endpoint := clienttest.New(refused, refused, refused)
	options := endpoint.Options()
	options.Retry.If = func(err error) bool {
		e, ok := errors.AsType[*client.Error](err)
		return ok && e.Code == "busy" && len(endpoint.Requests()) < 2
	}
	c, err := client.New("http://host.test", nil, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Chat(t.Context(), hello()); err == nil || len(endpoint.Requests()) != 2 {
		t.Errorf("got %v after %d requests", err, len(endpoint.Requests()))
	}
}

func TestTraceIsToldEverythingInOrder(t *testing.T) {
	t.Parallel()
	type key struct{}
	var told []string
	say := func(ctx context.Context, format string, a ...any) {
		if ctx.Value(key{}) != "span" {
			t.Errorf("%s is told without the context of Begin", format)
		}
		told = append(told, fmt.Sprintf(format, a...))
	}
	trace := &client.Trace{
		Begin: func(ctx context.Context, op *client.Operation) context.Context {
			ctx = context.WithValue(ctx, key{}, "span")
			say(ctx, "begin %s %s %s %v", op.Name, op.Model, op.Host, op.Stream)
			return ctx
		},
		Request: func(ctx context.Context, req *http.Request) { say(ctx, "request %s", req.Header.Get("Api-Key")) },
		Response: func(ctx context.Context, resp *http.Response, err error) {
			status := 0
			if resp != nil {
				status = resp.StatusCode
			}
			say(ctx, "response %d %v", status, err)
		},
		Wait: func(ctx context.Context, wait time.Duration, cause error) {
			say(ctx, "wait %v %v", wait > 0, cause != nil)
		},
		End: func(ctx context.Context, op *client.Operation) {
			total := 0
			if op.Usage != nil {
				total = op.Usage.TotalTokens
			}
			say(ctx, "end %d %s %v %d %v %v", op.Attempts, op.ReplyModel, op.FinishReasons, total, op.FirstChunk > 0, op.Err)
		},
	}
	broken := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	endpoint := clienttest.New(
		clienttest.Fail(broken), clienttest.Error(503, "x", "later", time.Millisecond), clienttest.Chat("Hello."),
		clienttest.Chat("Hello."), clienttest.Chat("Hello."), clienttest.Embeddings([]int{1}), clienttest.Error(404, "x", "no", 0),
	)
	options := endpoint.Options()
	options.Trace = trace
	c, err := client.New("http://host.test:1/models", client.Key("K"), options)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(told, want) {
			t.Errorf("told\n %s\nwant\n %s", strings.Join(told, "\n "), strings.Join(want, "\n "))
		}
		told = nil
	}
	request := hello()
	request.Model = "phi-4"
	if _, err := c.Chat(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	expect("begin chat phi-4 host.test:1 false",
		"request K", "response 0 call host.test:1: "+broken.Error(), "wait true true",
		"request K", "response 503 <nil>", "wait true true",
		"request K", "response 200 <nil>", "end 3 model-of-clienttest [stop] 15 false <nil>")
	if _, err := collect.Chat(c.ChatStream(t.Context(), request)); err != nil {
		t.Fatal(err)
	}
	expect("begin chat phi-4 host.test:1 true", "request K", "response 200 <nil>", "end 1 model-of-clienttest [stop] 15 true <nil>")
	for _, err := range c.ChatStream(t.Context(), request) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	expect("begin chat phi-4 host.test:1 true", "request K", "response 200 <nil>", "end 1 model-of-clienttest [] 0 true <nil>")
	if _, err := c.Embed(t.Context(), &client.EmbedRequest{Input: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	expect("begin embeddings  host.test:1 false", "request K", "response 200 <nil>", "end 1 model-of-clienttest [] 10 false <nil>")
	if _, err := c.Info(t.Context(), "m"); err == nil {
		t.Error("no error")
	}
	expect("begin info m host.test:1 false", "request K", "response 404 <nil>",
		"end 1  [] 0 false service answered 404 Not Found (x): no [request request-of-clienttest]")
}

func TestIdsOfAnExchange(t *testing.T) {
	t.Parallel()
	endpoint := clienttest.New(clienttest.Chat("x"), clienttest.Error(400, "x", "no", 0))
	request := hello()
	request.Header = http.Header{"X-Ms-Client-Request-Id": {"mine"}}
	reply, err := endpoint.Client().Chat(t.Context(), request)
	if err != nil || reply.RequestID != "request-of-clienttest" || reply.ClientRequestID != "mine" {
		t.Errorf("got %+v, %v", reply, err)
	}
	_, err = endpoint.Client().Chat(t.Context(), hello())
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.RequestID != "request-of-clienttest" || e.ClientRequestID != endpoint.Requests()[1].Header.Get("X-Ms-Client-Request-Id") {
		t.Errorf("got %+v", e)
	}
}

func TestAClientIsSharedByManyGoroutines(t *testing.T) {
	t.Parallel()
	const callers = 16
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clienttest.New(clienttest.Chat(strings.Join(r.Header.Values("X-Team"), ","))).ServeHTTP(w, r)
	}))
	t.Cleanup(endpoint.Close)
	shared := http.Header{"X-Team": append(make([]string, 0, 8), "a")}
	c, err := client.New(endpoint.URL, client.Key("K"), &client.Options{
		Header: shared,
		Trace:  &client.Trace{Request: func(_ context.Context, req *http.Request) { req.Header.Add("X-Team", "b") }},
	})
	if err != nil {
		t.Fatal(err)
	}
	request := hello()
	request.Extra = map[string]any{"top_k": 1}
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			if reply, err := c.Chat(t.Context(), request); err != nil || reply.Text() != "a,b" {
				t.Errorf("got %v, %v", reply, err)
			}
			if reply, err := collect.Chat(c.ChatStream(t.Context(), request)); err != nil || reply.Text() != "a,b" {
				t.Errorf("got %v, %v", reply, err)
			}
		})
	}
	wait.Wait()
}

func TestACallThatWasStreamedGoesBackAsOneThatWasNot(t *testing.T) {
	t.Parallel()
	endpoint := clienttest.New(clienttest.Call("f", "{}"), clienttest.Chat("x"))
	reply, err := collect.Chat(endpoint.Client().ChatStream(t.Context(), hello()))
	if err != nil {
		t.Fatal(err)
	}
	message := reply.Message()
	message.ToolCalls[0].Type = "" // as a service of Mistral's leaves it
	if _, err := endpoint.Client().Chat(t.Context(), &client.ChatRequest{Messages: []client.Message{message}}); err != nil {
		t.Fatal(err)
	}
	want := `{"messages":[{"role":"assistant","tool_calls":[{"id":"call-0-f","type":"function","function":{"name":"f","arguments":"{}"}}]}]}`
	if got := string(endpoint.Requests()[1].Body); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestEmbeddingsComeInTheOrderOfTheInputs(t *testing.T) {
	t.Parallel()
	c := clienttest.New(clienttest.JSON(200, `{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}`)).Client()
	reply, err := c.Embed(t.Context(), &client.EmbedRequest{Input: []string{"a", "b"}})
	if err != nil || reply.Data[0].Floats[0] != 1 {
		t.Errorf("got %+v, %v", reply, err)
	}
}

// Whatever a service answers, there is an answer or an error.
func FuzzReplies(f *testing.F) {
	f.Add([]byte(wholeReply))
	f.Add([]byte(`{"data":[{"index":0,"embedding":[1]}],"choices":[{"text":"x","message":null}],"model_name":"m"}`))
	f.Add([]byte(`{"choices":[{"message":{"content":[{"type":"text"}],"tool_calls":[{"function":{"arguments":{}}}]}}],"usage":{},"created":-1.5}`))
	f.Add([]byte(`{"error":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer := clienttest.JSON(200, body)
		c := clienttest.New(answer, answer, answer, answer).Client()
		if reply, err := c.Chat(t.Context(), hello()); err == nil {
			_ = reply.Text()
			_, _ = reply.Message().Reasoning()
			if _, err := json.Marshal(reply.Message()); err != nil {
				t.Errorf("what was said cannot be sent: %v", err)
			}
		}
		for _, encoding := range []client.EncodingFormat{"", client.EncodingInt8, client.EncodingUbinary} {
			one := clienttest.New(answer).Client()
			if reply, err := one.Embed(t.Context(), &client.EmbedRequest{Input: []string{"a"}, EncodingFormat: encoding}); err == nil && len(reply.Data) != 1 {
				t.Errorf("got %d embeddings", len(reply.Data))
			}
		}
		if reply, err := c.Complete(t.Context(), &client.CompletionRequest{Prompt: []string{"a"}}); err == nil {
			_ = reply.Text()
		}
		if info, err := c.Info(t.Context(), ""); err == nil && info.ModelName == "" {
			t.Error("info without a name")
		}
	})
}

func TestThoughtsAreToldFromText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"Hello.":                             {"", "Hello."},
		"<think>\nhm\n</think>\n\nHello.":    {"hm", "Hello."},
		"\n<think></think>Hello.":            {"", "Hello."},
		"<think>cut":                         {"cut", ""},
		"I write <think> in the </think> it": {"", "I write <think> in the </think> it"},
	} {
		thought, said := client.Assistant(text).Reasoning()
		if thought != want[0] || said != want[1] {
			t.Errorf("%q: got %q, %q", text, thought, said)
		}
	}
}

func TestCollectedTextsStayWithinBounds(t *testing.T) {
	t.Parallel()
	choice := func(i int) client.ChunkChoice { return client.ChunkChoice{Index: i} }
	var a collect.Answer
	var err error
	for i := 0; err == nil && i < 2000; i++ {
		err = a.Add(&client.Chunk{Choices: []client.ChunkChoice{choice(i)}})
	}
	if err == nil || len(a.Reply().Choices) > 1100 {
		t.Errorf("got %v and %d choices", err, len(a.Reply().Choices))
	}
	long := strings.Repeat("a", 1<<20)
	a, err = collect.Answer{}, nil
	for i := 0; err == nil && i < 200; i++ {
		err = a.Add(&client.Chunk{Extra: client.Extra{strconv.Itoa(i): json.RawMessage(long)}})
	}
	if err == nil {
		t.Error("members without a field may grow without end")
	}
	forever := func(yield func(*client.Completion, error) bool) {
		for yield(&client.Completion{Choices: []client.CompletionChoice{{Text: long}}}, nil) {
		}
	}
	calls := make([]client.ToolCall, 20_000)
	for i := range calls {
		calls[i].Index = new(i)
	}
	a = collect.Answer{}
	err = a.Add(&client.Chunk{Choices: []client.ChunkChoice{{Delta: client.Message{ToolCalls: calls}}}})
	if n := len(a.Reply().Choices[0].Message.ToolCalls); err == nil || n >= len(calls)/2 {
		t.Errorf("took %d calls in one piece: %v", n, err)
	}
	if got, err := collect.Completion(forever); err == nil || !strings.HasPrefix(got.Text(), long) {
		t.Errorf("got %d bytes, %v", len(got.Text()), err)
	}
}
