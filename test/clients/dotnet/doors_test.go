package dotnet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

var addresses = []string{"", "/models", "/deployments/{name}", "/inference", "/orgs/{org}/inference", "/openai/deployments/{name}"}

func at(address, model string) string {
	return strings.NewReplacer("{name}", model, "{org}", "acme").Replace(address)
}

// picture is the address of a picture as data, as the writer has it.
func picture(t *testing.T) string {
	t.Helper()
	// A shade whose base64 has the sign that the writer escapes.
	for shade := range uint8(255) {
		img := image.NewGray(image.Rect(0, 0, 8, 8))
		for i := range img.Pix {
			img.Pix[i] = shade + uint8(i)
		}
		img.SetGray(0, 0, color.Gray{Y: shade})
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if text := escaped("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())); strings.Contains(text, `\u002B`) {
			return text
		}
	}
	t.Fatal("no picture has a plus in its base64")
	return ""
}

func embed(t *testing.T, c call) vectors {
	t.Helper()
	e := answer(t, c.do(t))
	return parsed(t, func() vectors { return readVectors(e) })
}

func TestEachOperationAtEachAddress(t *testing.T) {
	t.Parallel()
	for _, address := range addresses {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			base, red := at(address, "mock"), picture(t)
			if got := chat(t, call{base: base, body: `{` + user("Hello there") + `,"model":"mock"}`}); got.Content != "Hello there" {
				t.Errorf("got %+v", got)
			}
			note(address, "chat/completions")

			if updates, err := streamed(t, call{base: base, body: `{` + user("Hello there") + `,"stream":true,"model":"mock"}`}); joined(updates) != "Hello there" || err != nil {
				t.Errorf("got %+v, %v", updates, err)
			}
			note(address, "chat/completions, streamed")

			shown := `{"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"` + red + `","detail":"high"}}]}],"model":"mock"}`
			if got := chat(t, call{base: base, body: shown}); got.Content != "What is this?" {
				t.Errorf("got %+v", got)
			}
			note(address, "chat/completions with images")

			if got := chat(t, call{base: base, body: `{` + user("How is it?") + `,"model":"mock",` + weather + `,"tool_choice":"required"}`}); len(got.ToolCalls) != 1 {
				t.Errorf("got %+v", got)
			}
			note(address, "chat/completions with tools")

			schema := `{"type":"json_schema","json_schema":{"name":"number","schema":{"type":"object","properties":{"n":{"type":"integer","minimum":3}},"required":["n"]}}}`
			if got := chat(t, call{base: base, body: `{` + user("Hi") + `,"model":"mock","response_format":` + schema + `}`}); got.Content != `{"n":3}` {
				t.Errorf("got %+v", got)
			}
			note(address, "chat/completions with a schema")

			got := embed(t, call{base: at(address, "mock-embedding"), path: embedPath, body: `{"input":["Hello","there"],"dimensions":8,"model":"mock-embedding"}`})
			if fmt.Sprint(got.Indices) != "[0 1]" || got.Model != "mock-embedding" {
				t.Errorf("got %+v", got)
			}
			note(address, "embeddings")

			images := call{base: at(address, "mock-image-embedding"), path: "/images/embeddings", body: `{"input":[{"image":"` + red + `"},{"image":"` + red + `"}],"dimensions":8,"model":"mock-image-embedding"}`}
			info := call{base: at(address, "mock-embedding"), path: "/info", deploy: "mock-embedding"}
			if strings.HasPrefix(address, "/openai/") {
				const why = "Azure OpenAI has no such operation: 404"
				for operation, c := range map[string]call{"images/embeddings": images, "info": info} {
					if f := failed(t, c.do(t)); f.Status != http.StatusNotFound || f.Code != "404" {
						t.Errorf("%s: got %+v", operation, f)
					}
					note(address, operation, why)
				}
				return
			}
			if got := embed(t, images); len(got.Embeddings) != 2 || got.Embeddings[0] != got.Embeddings[1] {
				t.Errorf("got %+v", got)
			}
			note(address, "images/embeddings")

			described := map[string]string{}
			e := answer(t, info.do(t))
			parsed(t, func() any {
				for _, m := range e.object() {
					described[m.name] = m.value.name()
				}
				return nil
			})
			if fmt.Sprint(described) != "map[model_name:mock-embedding model_provider_name:Ingot model_type:embeddings]" {
				t.Errorf("got %v", described)
			}
			note(address, "info")
		})
	}
}

// The SDK hands over an embedding as the JSON that it is, for the caller to read as a list of floats, or as a text.
func TestEmbeddingsOfEveryEncoding(t *testing.T) {
	t.Parallel()
	read := func(format string) vectors {
		got := embed(t, call{path: embedPath, body: `{"input":["Hello there"],"dimensions":16,"encoding_format":"` + format + `","input_type":"query","model":"mock-embedding"}`})
		if !hex.MatchString(got.ID) || got.Prompt != 2 || got.Total != 2 || len(got.Embeddings) != 1 {
			t.Fatalf("%s: got %+v", format, got)
		}
		return got
	}
	var floats []float32
	if err := json.Unmarshal([]byte(read("float").Embeddings[0]), &floats); err != nil {
		t.Fatal(err)
	}
	for format, length := range map[string]int{"int8": 16, "uint8": 16, "binary": 2, "ubinary": 2} {
		var numbers []float32
		if err := json.Unmarshal([]byte(read(format).Embeddings[0]), &numbers); err != nil || len(numbers) != length {
			t.Errorf("%s: %v, %v", format, numbers, err)
		}
	}
	raw, err := base64.StdEncoding.DecodeString(parsed(t, func() string { return element(read("base64").Embeddings[0]).str() }))
	if err != nil || len(raw) != 4*len(floats) {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	for i, x := range floats {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])); got != x {
			t.Errorf("%d: got %v, want %v", i, got, x)
		}
	}
}

func TestAdditionalPropertiesPassExceptInAStream(t *testing.T) {
	t.Parallel()
	if got := chat(t, call{extra: "pass-through", body: `{` + user("Hello") + `,"n":2}`}); got.Choices != 2 {
		t.Errorf("got %+v", got)
	}
	if f := failed(t, call{path: chatPath, extra: "pass-through", body: `{` + user("Hello") + `,"foo":1}`}.do(t)); f.Status != 422 {
		t.Errorf("got %+v", f)
	}
	// CompleteStreaming sends them without the header that lets them pass.
	f := failed(t, call{path: chatPath, body: `{` + user("Hello") + `,"stream":true,"n":2}`}.do(t))
	if f.Status != http.StatusBadRequest || !strings.HasPrefix(f.Message, "Extra parameters ['n'] are not allowed") {
		t.Errorf("got %+v", f)
	}
}

func TestRefusalsHaveACodeAndAMessage(t *testing.T) {
	t.Parallel()
	hello := `{` + user("Hello") + `}`
	for name, each := range map[string]struct {
		call
		want failure
	}{
		"a wrong key":           {call{path: chatPath, key: "wrong", body: hello}, failure{401, "401", "Auth token validation failed"}},
		"an unknown deployment": {call{base: "/deployments/nobody", path: chatPath, body: hello}, failure{404, "DeploymentNotFound", "nobody"}},
		"a doubled address":     {call{base: "/models/chat/completions", path: chatPath, body: hello}, failure{404, "404", "Resource not found"}},
		"an unknown model":      {call{base: "/models", path: chatPath, body: `{` + user("Hello") + `,"model":"nobody"}`}, failure{400, "unknown_model", "nobody"}},
		"a value out of range":  {call{path: chatPath, body: `{` + user("Hello") + `,"temperature":2.5}`}, failure{422, "Invalid input", "temperature"}},
		"a filtered prompt":     {call{path: chatPath, body: `{` + user("mock:filter") + `}`}, failure{400, "content_filter", "filtered"}},
		"a refused stream":      {call{path: chatPath, body: `{` + user("mock:filter") + `,"stream":true}`}, failure{400, "content_filter", "filtered"}},
		"no embeddings":         {call{base: "/deployments/mock", path: embedPath, body: `{"input":["a"]}`}, failure{404, "NotFound", "NOT FOUND"}},
		"an unknown encoding":   {call{path: embedPath, body: `{"input":["a"],"encoding_format":"foo"}`}, failure{422, "Invalid input", "encoding_format"}},
		"too many requests":     {call{server: faults, path: chatPath, body: `{` + user("Hello") + `,"model":"limited"}`}, failure{429, "429", ""}},
		"a failure":             {call{server: faults, path: chatPath, body: `{` + user("Hello") + `,"model":"broken-500"}`}, failure{500, "InternalServerError", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := each.call.do(t)
			got := failed(t, resp)
			if got.Status != each.want.Status || got.Code != each.want.Code || !strings.Contains(got.Message, each.want.Message) || got.Message == "" {
				t.Errorf("got %+v", got)
			}
			if wait := delay(t, resp.Header); (wait > 0) != (got.Status == http.StatusTooManyRequests) {
				t.Errorf("%d is to be asked again after %v", got.Status, wait)
			}
		})
	}
}

// delay is how long the retry policy waits before it asks again, where the answer says it; milliseconds come first.
func delay(t *testing.T, h http.Header) time.Duration {
	t.Helper()
	for _, each := range []struct {
		name string
		unit time.Duration
	}{{"retry-after-ms", time.Millisecond}, {"x-ms-retry-after-ms", time.Millisecond}, {"Retry-After", time.Second}} {
		if text := h.Get(each.name); text != "" {
			return time.Duration(parsed(t, func() int64 { return element(text).integer(32) })) * each.unit
		}
	}
	return 0
}
