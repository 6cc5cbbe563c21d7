package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/provider"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

func text(t *testing.T, r *llm.Reply) string {
	t.Helper()
	if len(r.Choices) != 1 || len(r.Choices[0].Parts) != 1 {
		t.Fatalf("choices %+v", r.Choices)
	}
	return r.Choices[0].Parts[0].(llm.Text).String()
}

func TestAStreamJoinsToTheWholeAnswer(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		streams, _ := v.backend(t, events(": ping\n\n", role, hello, ": ping\n\n", lo, stop, usage, done))
		wholes, _ := v.backend(t, whole(full))
		joined, err := streams.Chat(t.Context(), chat(t, v.contract, streamed)).Collect()
		if err != nil {
			t.Fatal(err)
		}
		once, err := wholes.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []*llm.Reply{joined, once} {
			if text(t, r) != "Hello" || r.Choices[0].Finish != llm.FinishStop || r.ID != "chatcmpl-7" || r.Model != "served" || r.Created.Unix() != 1763880000 {
				t.Errorf("got %+v", r)
			}
			if d := cmp.Diff(&llm.Usage{Prompt: 11, Completion: 2}, r.Usage); d != "" {
				t.Error(d)
			}
		}
		if string(once.Source.Body) != full || once.Source.Wire != v.contract {
			t.Errorf("its own bytes are %s of %s", once.Source.Body, once.Source.Wire)
		}
	})
}

func TestARequestGoesWhereTheSurfaceIsWithItsCredentials(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		b, s := v.backend(t, whole(full))
		r := chat(t, v.contract, `{"messages":[{"role":"user","content":"Hi"}],"model":"asked","top_k":[1.50,{"a":"\u0041"}]}`)
		r.Caller.RequestID, r.Caller.Hops = "mine-1", 3
		if _, err := b.Chat(t.Context(), r).Collect(); err != nil {
			t.Fatal(err)
		}
		got := s.last(t)
		if got.url != v.chat {
			t.Errorf("url %s, want %s", got.url, v.chat)
		}
		want := http.Header{
			"Content-Type": {"application/json"}, "X-Ms-Client-Request-Id": {"mine-1"}, "X-Ingot-Hops": {"4"}, "Extra-Parameters": {"pass-through"}, "Idempotency-Key": {},
		}
		for name, value := range v.header {
			want.Set(name, value)
		}
		if d := cmp.Diff(want, got.header); d != "" {
			t.Error(d)
		}
		if want := `{"messages":[{"role":"user","content":"Hi"}],"model":"` + v.model + `","top_k":[1.50,{"a":"\u0041"}]}`; got.body != want {
			t.Errorf("body %s, want %s", got.body, want)
		}
	})
}

func TestTheCallersWordOnUnknownMembersGoesOn(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		b, s := v.backend(t, whole(full))
		for want, r := range map[string]*llm.ChatRequest{
			"":             chat(t, v.contract, plain),
			"drop":         {Envelope: llm.Envelope{MayDrop: true}},
			"pass-through": chat(t, v.contract, `{"messages":[{"role":"user","content":"Hi"}],"safe_prompt":true}`),
		} {
			if _, err := b.Chat(t.Context(), r).Collect(); err != nil {
				t.Fatal(err)
			}
			if got := s.last(t).header.Get("Extra-Parameters"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestStreamsTellTheirUsageToUsAndOnlyThenToTheCaller(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		b, s := v.backend(t, events(role, hello, stop, usage, done))
		if _, err := b.Chat(t.Context(), chat(t, v.contract, streamed)).Collect(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(s.last(t).body, `"stream_options":{"include_usage":true}`); got != v.asksUsage {
			t.Errorf("asked for usage: %t, want %t: %s", got, v.asksUsage, s.last(t).body)
		}
	})
}

func TestNothingIsAskedBeforeRangingAndLeavingTheLoopHangsUp(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		res := answer(http.StatusOK, "text/event-stream", strings.NewReader(role+hello))
		b, s := v.backend(t, func(*http.Request) (*http.Response, error) { return res, nil })
		stream := b.Chat(t.Context(), chat(t, v.contract, streamed))
		if len(s.asked) > 0 {
			t.Error("asked before anybody ranged")
		}
		for _, err := range stream {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		select {
		case <-res.Body.(*body).closed:
		default:
			t.Error("the body is still open")
		}
	})
}

func TestWhatIsCutIsNeverComplete(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		broken := errors.New("connection reset by peer")
		for name, c := range map[string]struct {
			body   string
			answer func(*http.Request) (*http.Response, error)
		}{
			"no end":             {streamed, events(role, hello)},
			"DONE but no finish": {streamed, events(role, hello, done)},
			"inside an event":    {streamed, events(role, hello, stop[:40])},
			"nothing":            {streamed, events()},
			"an error event":     {streamed, events(role, hello, `data: {"error":{"message":"out of memory","code":"x"}}`+"\n\n", stop, done)},
			"a reset":            {streamed, resetAfter(role+hello, "text/event-stream", broken)},
			"no stream":          {streamed, whole(full)},
			"half a document":    {plain, whole(full[:len(full)/2])},
			"no document":        {plain, whole("<html>")},
			"no finish":          {plain, whole(strings.Replace(full, `"stop"`, `null`, 1))},
			"no choices":         {plain, whole(`{"id":"a","choices":[]}`)},
			"two of one index":   {plain, whole(`{"id":"a","choices":[{"index":0,"finish_reason":"stop"},{"index":0,"finish_reason":"stop"}]}`)},
			"a short body":       {plain, resetAfter(full, "application/json", io.ErrUnexpectedEOF)},
		} {
			b, _ := v.backend(t, c.answer)
			r, err := b.Chat(t.Context(), chat(t, v.contract, c.body)).Collect()
			if e, ok := errors.AsType[*llm.Error](err); !ok || e.Kind != llm.Upstream || e.Backend != "elsewhere" {
				t.Errorf("%s: got %+v, %v", name, r, err)
			}
		}
	})
}

func resetAfter(text, kind string, err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return answer(http.StatusOK, kind, io.MultiReader(strings.NewReader(text), failingReader{err})), nil
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

func TestEachRefusalIsOfItsKind(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for name, c := range map[string]struct {
			status int
			body   string
			want   llm.Error
		}{
			"too many":       {429, `{"error":{"code":"429","message":"slow down"}}`, llm.Error{Kind: llm.RateLimited, Message: "slow down", RetryAfter: 7 * time.Second, Code: "429"}},
			"no quota":       {429, `{"error":{"code":"insufficient_quota","message":"pay"}}`, llm.Error{Kind: llm.Upstream, Message: misconfigured(429), RetryAfter: 7 * time.Second, Code: "insufficient_quota", Err: errors.New("the model's server answered 429: pay")}},
			"overloaded":     {503, `{"error":{"message":"later"}}`, llm.Error{Kind: llm.Unavailable, Message: "later", RetryAfter: 7 * time.Second}},
			"a value":        {422, `{"error":{"code":"Invalid input","status":422,"message":"invalid input error","details":[{"type":"enum","loc":["body","input_type",1],"msg":"Input should be x","input":"foo"}]}}`, llm.Error{Kind: llm.Invalid, Message: "invalid input error", Code: "Invalid input", Details: []llm.Detail{{Type: "enum", Loc: []any{"body", "input_type", 1}, Msg: "Input should be x", Input: []byte(`"foo"`)}}}},
			"a member":       {422, `{"error":{"code":"Invalid input","message":"{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"foo\"],\"msg\":\"no\"}]}"}}`, llm.Error{Kind: llm.Invalid, Message: `{"detail":[{"type":"extra_forbidden","loc":["body","foo"],"msg":"no"}]}`, Code: "Invalid input", Details: []llm.Detail{{Type: "extra_forbidden", Loc: []any{"body", "foo"}, Msg: "no"}}}},
			"OpenAI's value": {400, `{"error":{"message":"bad","type":"invalid_request_error","param":"temperature","code":null}}`, llm.Error{Kind: llm.Invalid, Message: "bad", Param: "temperature", Code: "invalid_request_error", Details: []llm.Detail{{Type: "invalid_request_error", Loc: []any{"body", "temperature"}, Msg: "bad"}}}},
			"a part":         {400, `{"error":{"message":"The model \"asked\" hears nothing.","param":"messages[0].content[1].x","code":"unsupported_parameter"}}`, llm.Error{Kind: llm.Unsupported, Message: `The model "asked" hears nothing.`, Param: "messages[0].content[1].x", Code: "unsupported_parameter", Details: []llm.Detail{{Type: "unsupported_parameter", Loc: []any{"body", "messages", 0, "content", 1, "x"}, Msg: `The model "asked" hears nothing`}}}},
			"unknown":        {400, `{"error":{"message":"Unknown parameter: 'x'.","param":"x","code":"unknown_parameter"}}`, llm.Error{Kind: llm.UnknownParam, Message: "Unknown parameter: 'x'.", Param: "x", Code: "unknown_parameter"}},
			"too long":       {400, `{"error":{"message":"9 of 8","code":"context_length_exceeded","param":"messages"}}`, llm.Error{Kind: llm.TooLong, Message: "9 of 8", Param: "messages", Code: "context_length_exceeded"}},
			"filtered":       {400, `{"error":{"message":"no","code":"content_filter","innererror":{"content_filter_result":{"hate":{"filtered":true}}}}}`, llm.Error{Kind: llm.Filtered, Message: "no", Code: "content_filter", Filter: []byte(`{"hate":{"filtered":true}}`)}},
			"no such model":  {404, `{"error":{"code":"DeploymentNotFound","message":"not here, but others","param":"model"}}`, llm.Error{Kind: llm.Upstream, Message: misconfigured(404), Code: "DeploymentNotFound", Err: errors.New("the model's server answered 404: not here, but others")}},
			"a redirect":     {302, ``, llm.Error{Kind: llm.Upstream, Message: misconfigured(302), Err: errors.New("the model's server answered 302")}},
			"a dispute":      {451, `{"error":{"message":"You wrote Hi."}}`, llm.Error{Kind: llm.Upstream, Message: misconfigured(451), Err: errors.New("the model's server answered 451")}},
			"broken":         {500, `oops`, llm.Error{Kind: llm.Upstream, Message: "The model's server answered with an error (500)."}},
			"too late":       {504, `{}`, llm.Error{Kind: llm.Timeout, Message: "The model's server answered with an error (504)."}},
		} {
			b, _ := v.backend(t, func(*http.Request) (*http.Response, error) {
				res := answer(c.status, "application/json", strings.NewReader(c.body))
				if c.want.RetryAfter > 0 {
					res.Header.Set("Retry-After", "7")
				}
				return res, nil
			})
			_, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
			c.want.Status, c.want.Backend = c.status, "elsewhere"
			if d := cmp.Diff(&c.want, llm.AsError(err), cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	})
}

// misconfigured is what callers hear of a server that does not know what it is asked for.
func misconfigured(status int) string {
	return fmt.Sprintf("The model's server does not serve this deployment as Ingot asks for it (%d): its endpoint, model or quota is not as configured. The log of this endpoint has the cause.", status)
}

func TestARefusalOfOurCredentialsIsOurFailureAndTellsNothingOfThem(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, status := range []int{401, 403} {
			b, _ := v.backend(t, func(*http.Request) (*http.Response, error) {
				return answer(status, "application/json", strings.NewReader(`{"error":{"message":"Incorrect API key provided: sesame","code":"invalid_api_key"}}`)), nil
			})
			_, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
			if e := llm.AsError(err); e.Kind != llm.Upstream || e.Status != status || strings.Contains(fmt.Sprintf("%+v", *e), "sesame") {
				t.Errorf("got %+v", e)
			}
		}
		b, s := v.backend(t, whole(full), func(c *provider.Config) {
			c.Key = func() (string, error) { return "", errors.New("open secrets/key: no such file") }
		})
		_, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
		if e := llm.AsError(err); e.Kind != llm.Upstream || strings.Contains(e.Message, "secrets") || len(s.asked) > 0 {
			t.Errorf("without a key: got %+v", e)
		}
	})
}

func TestACallerWhoLeavesIsToldApartFromSilence(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		b, _ := v.backend(t, mute(role, hello))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, err := range b.Chat(ctx, chat(t, v.contract, streamed)) {
			if err == nil {
				cancel()
				continue
			}
			if e := llm.AsError(err); e.Kind != llm.Canceled {
				t.Errorf("got %+v", e)
			}
		}
	})
}

func TestWhoeverFallsSilentIsGivenUp(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for name, c := range map[string]struct {
					body  string
					reply func(*http.Request) (*http.Response, error)
					want  time.Duration
				}{
					"no head": {streamed, func(r *http.Request) (*http.Response, error) {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}, 20 * time.Second},
					"only a role": {streamed, mute(role), 20 * time.Second},
					"a piece":     {streamed, mute(role, hello), 5 * time.Second},
					"no answer": {plain, func(r *http.Request) (*http.Response, error) {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}, 60 * time.Second},
					"half an answer": {plain, mute(full[:20]), 5 * time.Second},
				} {
					b, _ := v.backend(t, c.reply, func(c *provider.Config) {
						c.First, c.Silence, c.Whole = 20*time.Second, 5*time.Second, time.Minute
					})
					start := time.Now()
					_, err := b.Chat(t.Context(), chat(t, v.contract, c.body)).Collect()
					if e := llm.AsError(err); e.Kind != llm.Timeout || time.Since(start) != c.want {
						t.Errorf("%s: after %s: %+v", name, time.Since(start), e)
					}
				}
			})
		})
	}
}

func TestTheCallersRequestIsNotChanged(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		b, _ := v.backend(t, events(role, hello, stop, done))
		const body = `{"messages":[{"role":"user","content":"Hi"}],"stream":true,"model":"asked","x":1}`
		r := chat(t, v.contract, body)
		before := *r
		if _, err := b.Chat(t.Context(), r).Collect(); err != nil {
			t.Fatal(err)
		}
		src, ok := r.Source()
		if d := cmp.Diff(before, *r, cmp.AllowUnexported(llm.Envelope{}, llm.Text{}), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".owner" }, cmp.Ignore())); d != "" || !ok || string(src.Body) != body || len(src.Edits) > 0 {
			t.Errorf("%s %s %v", d, src.Body, src.Edits)
		}
	})
}

func TestEveryPartIsSent(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		b, s := v.backend(t, whole(full))
		for _, part := range []string{
			`{"type":"text","text":"a"}`,
			`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"high"}}`,
			`{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}`,
			`{"type":"audio_url","audio_url":{"url":"https://models.example/a.wav"}}`,
		} {
			for _, w := range []llm.Wire{v.contract, "another"} { // spliced, and from the fields
				if _, err := b.Chat(t.Context(), chat(t, w, `{"messages":[{"role":"user","content":[`+part+`]}]}`)).Collect(); err != nil {
					t.Fatal(err)
				}
				if got := s.last(t).body; !strings.Contains(got, part) {
					t.Errorf("%s is not in %s", part, got)
				}
			}
		}
	})
}

func embedding(t *testing.T, w llm.Wire, body string) *llm.EmbedRequest {
	t.Helper()
	r, err := request.DecodeEmbed([]byte(body), admitAll(w))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func embeds(c *provider.Config) { c.Operations = []llm.Operation{llm.OpEmbed} }

func TestEmbeddingsPassAsTheyComeOrAsVectors(t *testing.T) {
	const asked = `{"input":["a","b"],"encoding_format":"base64","dimensions":2,"x":1}`
	const vectors = `{"object":"list","model":"m","data":[{"index":1,"object":"embedding","embedding":[-2,0.5]},{"index":0,"object":"embedding","embedding":"AACAPwAAAMA="}],"usage":{"prompt_tokens":4,"total_tokens":4}}`
	passes := strings.Replace(vectors, "[-2,0.5]", `"AAAAwAAAAD8="`, 1)
	every(t, func(t *testing.T, v variant) {
		b, s := v.backend(t, whole(passes), embeds)
		r, err := b.Embed(t.Context(), embedding(t, v.contract, asked))
		if err != nil {
			t.Fatal(err)
		}
		if string(r.Source.Body) != passes || r.Usage.Prompt != 4 || !strings.Contains(s.last(t).body, `"encoding_format":"base64","dimensions":2,"x":1`) {
			t.Errorf("sent %s, got %+v", s.last(t).body, r)
		}
		if got, want := s.last(t).url, strings.Replace(v.chat, "/chat/completions", "/embeddings", 1); got != want {
			t.Errorf("url %s, want %s", got, want)
		}
		b, s = v.backend(t, whole(vectors), embeds)
		if r, err = b.Embed(t.Context(), embedding(t, "another", asked)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([][]float32{{1, -2}, {-2, 0.5}}, r.Vectors); d != "" || r.Source.Body != nil || strings.Contains(s.last(t).body, "encoding_format") {
			t.Errorf("sent %s: %s", s.last(t).body, d)
		}
		for _, bad := range []string{vectors[:len(vectors)-9], strings.Replace(vectors, `"index":1`, `"index":0`, 1), strings.Replace(vectors, `"index":1`, `"index":2`, 1), `{"data":[]}`, `{}`} {
			b, _ := v.backend(t, whole(bad), embeds)
			for _, w := range []llm.Wire{v.contract, "another"} {
				if r, err := b.Embed(t.Context(), embedding(t, w, asked)); llm.AsError(err).Kind != llm.Upstream {
					t.Errorf("%s: got %+v, %v", bad, r, err)
				}
			}
		}
	})
}

func TestImageEmbeddingsAreAskedWhereTheContractHasThem(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		c := v.c
		c.Operations = []llm.Operation{llm.OpEmbedImages}
		if v.images == "" {
			if _, err := provider.All[v.kind](c); err == nil || !strings.Contains(err.Error(), "image embeddings") {
				t.Errorf("got %v", err)
			}
			return
		}
		b, s := v.backend(t, whole(`{"id":"i","object":"list","model":"m","data":[{"index":0,"object":"embedding","embedding":[1]}],"usage":{"prompt_tokens":5,"total_tokens":5,"images":1,"prompt_patches":4}}`),
			func(c *provider.Config) { c.Operations = []llm.Operation{llm.OpEmbedImages} })
		r, err := b.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.Picture{Image: llm.Image{URL: llm.NewText("data:image/png;base64,AA==")}}}})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&llm.Usage{Prompt: 5, Images: 1, Patches: 4}, r.Usage); d != "" {
			t.Error(d)
		}
		if got := s.last(t); got.url != v.images || !strings.Contains(got.body, `"input":[{"image":"data:image/png;base64,AA=="}]`) {
			t.Errorf("asked %s with %s", got.url, got.body)
		}
	})
}

func TestTextCompletionsAnswerAlike(t *testing.T) {
	const once = `{"id":"cmpl-1","object":"text_completion","created":1763880000,"model":"served","choices":[{"index":0,"text":"Hello","finish_reason":"length","logprobs":{"tokens":["Hello"],"token_logprobs":[-0.5],"top_logprobs":[{"Hi":-1}],"text_offset":[0]}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	const piece = `data: {"id":"cmpl-1","object":"text_completion","created":1763880000,"model":"served","choices":[{"index":0,"text":"Hello","finish_reason":null,"logprobs":{"tokens":["Hello"],"token_logprobs":[-0.5],"top_logprobs":[{"Hi":-1}],"text_offset":[0]}}]}` + "\n\n"
	const end = `data: {"id":"cmpl-1","object":"text_completion","created":1763880000,"model":"served","choices":[{"index":0,"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}` + "\n\n"
	every(t, func(t *testing.T, v variant) {
		want := []llm.TokenLogprob{{Token: "Hello", Logprob: -0.5, Top: []llm.TokenLogprob{{Token: "Hi", Logprob: -1}}}}
		for name, reply := range map[string]func(*http.Request) (*http.Response, error){`{"prompt":"a"}`: whole(once), `{"prompt":"a","stream":true}`: events(piece, end, done)} {
			b, s := v.backend(t, reply)
			r, err := request.DecodeComplete([]byte(name), admitAll(v.contract))
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.Complete(t.Context(), r).Collect()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got.Choices[0].Logprobs); d != "" || text(t, got) != "Hello" || got.Choices[0].Finish != llm.FinishLength || got.Usage.Completion != 1 {
				t.Errorf("%s: %+v %s", name, got, d)
			}
			if s.last(t).url != strings.Replace(v.chat, "/chat/completions", "/completions", 1) {
				t.Errorf("url %s", s.last(t).url)
			}
		}
	})
}

func TestTheLimitOfTheContractIsAskedForToo(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		b, s := v.backend(t, whole(`{"id":"a","created":1,"model":"m","choices":[{"index":0,"text":"x","finish_reason":"length"}]}`))
		for body, want := range map[string]string{`{"prompt":"a"}`: `"max_tokens":16`, `{"prompt":"a","max_tokens":null}`: `"max_tokens":16`, `{"prompt":"a","max_tokens":3}`: `"max_tokens":3`} {
			r, err := request.DecodeComplete([]byte(body), admitAll(v.contract))
			if err != nil {
				t.Fatal(err)
			}
			r.LimitTokens(16)
			if _, err := b.Complete(t.Context(), r).Collect(); err != nil {
				t.Fatal(err)
			}
			if got := s.last(t).body; strings.Count(got, "max_tokens") != 1 || !strings.Contains(got, want) {
				t.Errorf("%s became %s", body, got)
			}
		}
	})
}

func TestACallInAWholeAnswerIsTheCallOfAStream(t *testing.T) {
	const calls = `{"id":"a","object":"chat.completion","created":1763880000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"c1","type":"function","function":{"name":"g","arguments":{"y":2}}}]},"finish_reason":"tool_calls","logprobs":{"content":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}]},"content_filter_results":{}}],"service_tier":"x"}`
	every(t, func(t *testing.T, v variant) {
		b, _ := v.backend(t, whole(calls))
		got, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
		if err != nil {
			t.Fatal(err)
		}
		want := []llm.Choice{{
			Parts: []llm.Part{
				llm.Reasoning{Text: llm.NewText("hm")},
				llm.ToolCall{ID: "c1", Name: "f", Arguments: llm.NewText(`{"x":1}`)},
				llm.ToolCall{ID: "c1", Name: "g", Arguments: llm.NewText(`{"y":2}`)},
			},
			Finish: llm.FinishToolCalls, Logprobs: []llm.TokenLogprob{{Token: "a", Logprob: -1, Bytes: []byte("a")}},
			Extra: llm.Extra{"content_filter_results": []byte("{}")},
		}}
		if d := cmp.Diff(want, got.Choices); d != "" || !bytes.Equal(got.Extra["service_tier"], []byte(`"x"`)) {
			t.Error(d)
		}
		if _, err := jsonx.Parse(got.Source.Body); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatCameBeforeAnErrorIsSaidUnlessAnotherMayBeAsked(t *testing.T) {
	const oops = `data: {"error":{"message":"out of memory"}}` + "\n\n"
	every(t, func(t *testing.T, v variant) {
		for name, c := range map[string]struct{ pieces, want []string }{
			"with the beginning": {[]string{role + hello + oops}, nil},
			"with the middle":    {[]string{role + hello, lo + oops}, []string{"Hel", "lo"}},
			"malformed":          {[]string{role + hello, lo + "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}},7]}\n\n"}, []string{"Hel", "lo"}},
		} {
			var readers []io.Reader
			for _, p := range c.pieces {
				readers = append(readers, strings.NewReader(p))
			}
			b, _ := v.backend(t, func(*http.Request) (*http.Response, error) {
				return answer(http.StatusOK, "text/event-stream", io.MultiReader(readers...)), nil
			})
			var said []string
			var failure error
			for f, err := range b.Chat(t.Context(), chat(t, v.contract, streamed)) {
				if err != nil {
					failure = err
					break
				}
				for _, choice := range f.Choices {
					for _, p := range choice.Parts {
						said = append(said, p.(llm.Text).String())
					}
				}
			}
			if !slices.Equal(said, c.want) || llm.AsError(failure).Kind != llm.Upstream {
				t.Errorf("%s: got %q and %v", name, said, failure)
			}
		}
	})
}
