package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/collect"
	"github.com/ingot-llm/ingot/client/dataurl"
	"github.com/ingot-llm/ingot/client/tool"
	"github.com/ingot-llm/ingot/client/typed"
)

// door is an address that the client is given.
type door struct {
	address string                    // in the tables of results
	path    func(model string) string // with the deployment that is asked for
	named   bool                      // requests name the deployment
	without []string                  // operations that the door has not
}

func fixed(path string) func(string) string { return func(string) string { return path } }

var openAIs = []string{"images/embeddings", "info"}

var doors = []door{
	{"", fixed(""), false, nil},
	{"/models", fixed("/models"), true, nil},
	{"/deployments/{name}", func(model string) string { return "/deployments/" + model }, false, nil},
	{"/inference", fixed("/inference"), true, nil},
	{"/orgs/{org}/inference", fixed("/orgs/some/inference"), true, nil},
	{"/openai/deployments/{name}", func(model string) string { return "/openai/deployments/" + model }, false, openAIs},
	{"/v1", fixed("/v1"), true, openAIs},
	{"/openai/v1", fixed("/openai/v1"), true, openAIs},
	{"/inference/v1", fixed("/inference/v1"), true, openAIs},
}

type capital struct {
	City string `json:"city" jsonschema:"minLength=2"`
}

// operations do what each is for, with the model as the door wants it, and check what comes of it.
var operations = map[string]struct {
	model string
	do    func(ctx context.Context, c *client.Client, model string) error
}{
	"chat/completions": {"mock", func(ctx context.Context, c *client.Client, model string) error {
		r := says("Hello")
		r.Model = model
		reply, err := c.Chat(ctx, r)
		if err != nil {
			return err
		}
		return want(reply.Text(), "Hello", reply.Model, "mock", string(reply.Choices[0].FinishReason), "stop", strconv.FormatBool(reply.RequestID != ""), "true")
	}},
	"chat/completions, streamed": {"mock", func(ctx context.Context, c *client.Client, model string) error {
		r := says("Hello, you")
		r.Model = model
		chunks := 0
		var a collect.Answer
		for chunk, err := range c.ChatStream(ctx, r) {
			if err == nil {
				err = a.Add(chunk)
			}
			if err != nil {
				return err
			}
			chunks++
		}
		return want(a.Reply().Text(), "Hello, you", strconv.FormatBool(chunks > 3), "true", string(a.Reply().Choices[0].FinishReason), "stop")
	}},
	"chat/completions with images": {"mock", func(ctx context.Context, c *client.Client, model string) error {
		picture, err := dataurl.File(filepath.Join(os.Getenv("INGOT_TEST_ROOT"), "examples", "pictures", "circle.png"))
		if err != nil {
			return err
		}
		r := says("What is this?", client.Image(picture))
		r.Model = model
		reply, err := c.Chat(ctx, r)
		if err != nil {
			return err
		}
		return want(reply.Text(), "What is this?")
	}},
	"chat/completions with tools": {"mock", func(ctx context.Context, c *client.Client, model string) error {
		called := 0
		look, err := tool.NewStrict("look_up", "Looks up a city.", func(_ context.Context, at capital) (string, error) {
			called++
			return "seen " + at.City, nil
		})
		if err != nil {
			return err
		}
		r := says("Look.")
		r.Model, r.ToolChoice = model, &client.ToolChoice{Mode: client.ToolRequired}
		reply, history, err := tool.Run(ctx, c, r, 3, look)
		if err != nil {
			return err
		}
		return want(reply.Text(), "Look.", strconv.Itoa(called), "1", strconv.Itoa(len(history)), "4")
	}},
	"chat/completions with a schema": {"mock", func(ctx context.Context, c *client.Client, model string) error {
		r := says("The capital of France?")
		r.Model = model
		answer, _, err := typed.Chat[capital](ctx, c, r)
		if err != nil {
			return err
		}
		return want(strconv.Itoa(len(answer.City)), "2")
	}},
	"completions": {"mock", func(ctx context.Context, c *client.Client, model string) error {
		whole, err := c.Complete(ctx, &client.CompletionRequest{Model: model, Prompt: []string{"Once upon a time", "there"}})
		if err != nil {
			return err
		}
		streamed, err := collect.Completion(c.CompleteStream(ctx, &client.CompletionRequest{Model: model, Prompt: []string{"Once upon a time"}}))
		if err != nil {
			return err
		}
		return want(whole.Choices[1].Text, "there", streamed.Text(), whole.Text(), streamed.Text(), "Once upon a time")
	}},
	"embeddings": {"mock-embedding", func(ctx context.Context, c *client.Client, model string) error {
		reply, err := c.Embed(ctx, &client.EmbedRequest{Model: model, Input: []string{"a", "b"}})
		if err != nil {
			return err
		}
		return want(fmt.Sprint(len(reply.Data), len(reply.Data[1].Floats)), "2 384")
	}},
	"images/embeddings": {"mock-image-embedding", func(ctx context.Context, c *client.Client, model string) error {
		picture, err := dataurl.File(filepath.Join(os.Getenv("INGOT_TEST_ROOT"), "examples", "pictures", "square.png"))
		if err != nil {
			return err
		}
		reply, err := c.EmbedImages(ctx, &client.EmbedImagesRequest{Model: model, Input: []client.ImageInput{{Image: picture}}})
		if err != nil {
			return err
		}
		return want(strconv.Itoa(len(reply.Data[0].Floats)), "384", string(reply.Usage.Extra["images"]), "1")
	}},
	"info": {"mock", func(ctx context.Context, c *client.Client, model string) error {
		info, err := c.Info(ctx, model)
		if err != nil {
			return err
		}
		return want(info.ModelName, "mock", info.ModelType, "chat_completion")
	}},
}

// want compares pairs of what there is and what shall be.
func want(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != pairs[i+1] {
			return fmt.Errorf("got %q, want %q", pairs[i], pairs[i+1])
		}
	}
	return nil
}

func TestEveryOperationAtEveryAddress(t *testing.T) {
	for _, d := range doors {
		for operation, o := range operations {
			t.Run(d.address+" "+operation, func(t *testing.T) {
				model := ""
				if d.named {
					model = o.model
				}
				err := o.do(t.Context(), of(t, mocks, d.path(o.model), nil), model)
				if !slices.Contains(d.without, operation) {
					if err != nil {
						t.Fatal(err)
					}
					seen(d.address, operation)
					return
				}
				if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != http.StatusNotFound {
					t.Fatalf("got %v, want 404", err)
				}
				seen(d.address, operation, "the address has no such operation (404)")
			})
		}
	}
}

func TestEndpointsAsPeopleWriteThem(t *testing.T) {
	for _, path := range []string{"/", "/models/", "/models/chat/completions?api-version=2024-05-01-preview", "/models?api-version=2025-04-01", "//", "/openai/deployments/mock//"} {
		r := says("Hello")
		r.Model = "mock"
		reply, err := of(t, mocks, path, nil).Chat(t.Context(), r)
		if err != nil || reply.Text() != "Hello" {
			t.Errorf("%s: got %v, %v", path, reply, err)
		}
	}
}

func TestEveryEncodingHoldsTheSameVector(t *testing.T) {
	c := of(t, mocks, "", nil)
	embed := func(encoding client.EncodingFormat) client.Embedding {
		reply, err := c.Embed(t.Context(), &client.EmbedRequest{Input: []string{"a text"}, Dimensions: new(16), EncodingFormat: encoding, InputType: client.InputQuery})
		return must(t, reply, err).Data[0]
	}
	floats := embed("").Floats
	if len(floats) != 16 {
		t.Fatalf("got %d numbers", len(floats))
	}
	for _, encoding := range []client.EncodingFormat{client.EncodingFloat, client.EncodingBase64} {
		if got := embed(encoding).Floats; !slices.Equal(got, floats) {
			t.Errorf("%s: got %v, want %v", encoding, got, floats)
		}
	}
	small, large := embed(client.EncodingInt8).Int8, embed(client.EncodingUint8).Uint8
	signed, unsigned := embed(client.EncodingBinary).Bits, embed(client.EncodingUbinary).Bits
	if !slices.Equal(signed, unsigned) || len(signed) != 2 {
		t.Errorf("got %v signed and %v unsigned", signed, unsigned)
	}
	for i, f := range floats {
		rounded := int(math.Round(float64(f) * 127))
		if int(small[i]) != rounded || int(large[i]) != rounded+128 {
			t.Errorf("dimension %d: got %d and %d for %v", i, small[i], large[i], f)
		}
		if set := signed[i/8]>>(7-i%8)&1 == 1; set != (f >= 0) {
			t.Errorf("dimension %d: got bit %v for %v", i, set, f)
		}
	}
}

func TestThoughtsOfEitherVersion(t *testing.T) {
	for _, version := range []string{"2024-05-01-preview", "2025-04-01"} {
		c := of(t, mocks, "/deployments/mock-reasoning", &client.Options{APIVersion: version})
		whole, err := c.Chat(t.Context(), says("Hello"))
		thought, text := must(t, whole, err).Message().Reasoning()
		if thought != "The answer is what was said." || text != "Hello" {
			t.Errorf("%s: got %q, %q", version, thought, text)
		}
		streamed, err := collect.Chat(c.ChatStream(t.Context(), says("Hello")))
		thought, text = must(t, streamed, err).Message().Reasoning()
		if thought != "The answer is what was said." || text != "Hello" {
			t.Errorf("%s, streamed: got %q, %q", version, thought, text)
		}
		// What was thought does not go back.
		again := &client.ChatRequest{Messages: []client.Message{client.User("Hello"), streamed.Message(), client.User("And?")}}
		if _, err := c.Chat(t.Context(), again); err != nil {
			t.Error(err)
		}
	}
}

func TestMembersBeyondTheContract(t *testing.T) {
	extra := func() *client.ChatRequest {
		r := says("Hello")
		r.Extra = map[string]any{"n": 2}
		return r
	}
	reply, err := of(t, mocks, "/deployments/mock", nil).Chat(t.Context(), extra())
	if must(t, reply, err); len(reply.Choices) != 2 {
		t.Errorf("pass-through: got %d choices", len(reply.Choices))
	}
	reply, err = of(t, mocks, "/deployments/mock", &client.Options{ExtraParameters: client.ExtraDrop}).Chat(t.Context(), extra())
	if must(t, reply, err); len(reply.Choices) != 1 || reply.Header.Get("X-Ingot-Dropped") != "n" {
		t.Errorf("drop: got %d choices and %v", len(reply.Choices), reply.Header)
	}
	_, err = of(t, mocks, "/deployments/mock", &client.Options{ExtraParameters: client.ExtraError}).Chat(t.Context(), extra())
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != 400 || e.Target != "n" || !strings.Contains(e.Message, "pass-through") {
		t.Errorf("error: got %v", err)
	}
}

func TestUsageOfStreams(t *testing.T) {
	for path, asks := range map[string]bool{"": false, "/models": false, "/v1": true, "/openai/deployments/mock": true} {
		c := of(t, mocks, path, nil)
		r := says("Hello")
		r.Model = "mock"
		reply, err := collect.Chat(c.ChatStream(t.Context(), r))
		if must(t, reply, err); (reply.Usage == nil) != asks {
			t.Errorf("%s: got %v", path, reply.Usage)
		}
		r.Extra = map[string]any{"stream_options": map[string]any{"include_usage": true}}
		reply, err = collect.Chat(c.ChatStream(t.Context(), r))
		if must(t, reply, err); reply.Usage == nil || reply.Usage.TotalTokens == 0 {
			t.Errorf("%s: got %v, where it was asked for", path, reply.Usage)
		}
	}
}

func TestTLSAndTheIdsOfAnExchange(t *testing.T) {
	c, err := client.New(mocks.Over("/models"), client.Key(key), &client.Options{HTTPClient: mocks.HTTP, Deployment: "mock"})
	reply, err := must(t, c, err).Chat(t.Context(), says("Hello"))
	if must(t, reply, err); reply.RequestID == "" || reply.Header.Get("X-Ms-Client-Request-Id") != reply.ClientRequestID || reply.Header.Get("X-Ingot-Deployment") != "mock" {
		t.Errorf("got %+v", reply.Meta)
	}
	if c, err = client.New(mocks.Over(""), client.Key(key), &client.Options{Retry: client.Retry{Max: -1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Chat(t.Context(), says("Hello")); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v of an authority that nobody trusts", err)
	}
}
