//go:build engine && linux

package provider_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/jsonx"
)

// stranger starts a llama.cpp server that the endpoint under test knows by its address and key only.
func stranger(t *testing.T, model string, embeds bool) (url, secret string, kill func()) {
	t.Helper()
	cache := os.Getenv("INGOT_TEST_CACHE")
	if cache == "" {
		cache = filepath.Join("..", "..", ".cache", "test")
	}
	home, err := filepath.Abs(filepath.Join(cache, "home"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := install.Find(t.Context(), install.Options{Dir: filepath.Join(home, "engine")})
	if err != nil || e.Kind != install.Xllamacpp {
		t.Fatalf("found engine %+v: %v", e, err)
	}
	p := process.New(process.Spec{
		Name: model, Engine: process.Engine{Kind: process.Xllamacpp, Python: e.Command[0], PythonPath: e.Dir},
		ModelPath: filepath.Join(home, "models", model+".gguf"), Context: 1024, Slots: 2, Threads: 1, Embedding: embeds,
	}, process.Options{})
	t.Cleanup(p.Kill)
	lease, err := p.Ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return lease.URL, lease.Key, p.Kill
}

// get is a member of an answer by its path.
func get(t *testing.T, body string, path ...string) jsonx.Value {
	t.Helper()
	v, err := jsonx.Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, name := range path {
		if name == "0" {
			for _, v = range v.Elements() {
				break
			}
			continue
		}
		v = v.Get(name)
	}
	return v
}

func TestAStrangersServerAnswersAtEveryDoor(t *testing.T) {
	chat, chatKey, kill := stranger(t, "smollm2", false)
	vectors, vectorsKey, _ := stranger(t, "minilm", true)
	url := serve(t, `
providers:
  chat: {type: openai, endpoint: "`+chat+`", flavour: llama-server, key: `+chatKey+`}
  vectors: {type: openai, endpoint: "`+vectors+`/v1", flavour: llama-server, key: `+vectorsKey+`}
  wrong: {type: openai, endpoint: "`+chat+`", flavour: llama-server, key: wrong}
models:
  chat: {provider: chat}
  vectors: {provider: vectors, kind: embedding}
  wrong: {provider: wrong}
`)
	const hi = `{"model":"chat","messages":[{"role":"user","content":"Say hello."}],"max_tokens":8,"temperature":0`
	direct := func(body string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, chat+"/v1/chat/completions", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+chatKey)
		res, err := (&http.Client{}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	own := direct(hi + "}")
	said := get(t, own, "choices", "0", "message", "content").Text()
	if said == "" {
		t.Fatalf("the server said nothing: %s", own)
	}
	for _, path := range []string{"/v1/", "/openai/v1/", "/models/", "/inference/", "/deployments/chat/", "/openai/deployments/chat/"} {
		version := "?api-version=2024-05-01-preview"
		if strings.Contains(path, "/v1/") {
			version = ""
		}
		e := ask(t, url+path+"chat/completions"+version, hi+"}", http.Header{})
		if got := get(t, e.Body, "choices", "0", "message", "content").Text(); e.Status != http.StatusOK || got != said {
			t.Errorf("%s: got %+v, want %q", path, e, said)
		}
		if own := get(t, own, "model").Text(); get(t, e.Body, "model").Text() != own {
			t.Errorf("%s: the model is not %q as the server says: %s", path, own, e.Body)
		}
		if get(t, e.Body, "timings").Kind() != jsonx.Object {
			t.Errorf("%s: the server's own members are lost: %s", path, e.Body)
		}
		e = ask(t, url+path+"chat/completions"+version, hi+`,"stream":true}`, http.Header{})
		var streamed strings.Builder
		for line := range strings.Lines(e.Body) {
			if data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: {"); ok {
				streamed.WriteString(get(t, "{"+data, "choices", "0", "delta", "content").Text())
			}
		}
		if e.Broken || streamed.String() != said || !strings.HasSuffix(e.Body, "data: [DONE]\n\n") {
			t.Errorf("%s: streamed %+v", path, e)
		}
		if told, shown := strings.Contains(e.Body, `"usage":{`), !strings.Contains(path, "/v1/") && !strings.Contains(path, "/openai/"); told != shown {
			t.Errorf("%s: usage was told: %t", path, told)
		}
	}
	if e := ask(t, url+"/v1/completions", `{"model":"chat","prompt":"One, two,","max_tokens":4,"temperature":0}`, http.Header{}); e.Status != http.StatusOK || get(t, e.Body, "choices", "0", "text").Text() == "" {
		t.Errorf("text: %+v", e)
	}
	for _, encoding := range []string{"float", "base64"} {
		e := ask(t, url+"/v1/embeddings", `{"model":"vectors","input":["a","b"],"encoding_format":"`+encoding+`"}`, http.Header{})
		want := jsonx.Array
		if encoding == "base64" {
			want = jsonx.String
		}
		if got := get(t, e.Body, "data", "0", "embedding").Kind(); e.Status != http.StatusOK || got != want {
			t.Errorf("%s: %+v", encoding, e)
		}
		if e := ask(t, url+"/models/embeddings", `{"model":"vectors","input":"a","encoding_format":"int8"}`, http.Header{}); e.Status != http.StatusOK {
			t.Errorf("int8: %+v", e)
		}
	}
	if e := ask(t, url+"/v1/chat/completions", hi+`,"n":2}`, http.Header{}); e.Status != http.StatusBadRequest || !strings.Contains(e.Body, "'n'") {
		t.Errorf("what it is known not to do: %+v", e)
	}
	if e := ask(t, url+"/v1/chat/completions", hi+`,"n":2}`, http.Header{"Extra-Parameters": {"drop"}}); e.Status != http.StatusOK || e.Header.Get("X-Ingot-Dropped") != "n" {
		t.Errorf("dropped: %+v", e)
	}
	if e := ask(t, url+"/v1/chat/completions", strings.Replace(hi, `"chat"`, `"wrong"`, 1)+"}", http.Header{}); e.Status != http.StatusBadGateway {
		t.Errorf("a wrong key: %+v", e)
	}
	long := strings.Replace(hi, `"max_tokens":8`, `"max_tokens":600`, 1) + `,"stream":true,"ignore_eos":true}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(long))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + key}, "Extra-Parameters": {"pass-through"}}
	res, err := (&http.Client{}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 400)); err != nil {
		t.Fatal(err)
	}
	kill()
	rest, err := io.ReadAll(res.Body)
	if err == nil || strings.Contains(string(rest), "[DONE]") || !strings.Contains(string(rest), `"error"`) {
		t.Errorf("a server that dies: %v, %s", err, rest)
	}
}
