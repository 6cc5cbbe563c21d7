package provider_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const models = `
models:
  echo: {provider: mock}
  count: {provider: mock, mock: {behaviour: count, max_tokens: 6}}
  think: {provider: mock, mock: {behaviour: reasoning}}
  vec: {provider: mock, mock: {behaviour: embedding}}
  pix: {provider: mock, mock: {behaviour: image-embedding}}
  busy: {provider: mock, mock: {fault: {status: 429, retry_after: 7s}}}
  fails: {provider: mock, mock: {behaviour: count, max_tokens: 6, tokens_per_second: 50, fault: {error: 3}}}
  cuts: {provider: mock, mock: {behaviour: count, max_tokens: 6, fault: {cut: 3}}}
`

// exchange is what a caller sees of an answer, but for what no two answers have in common.
type exchange struct {
	Status int
	Header http.Header
	Body   string
	Broken bool
}

var (
	ids     = regexp.MustCompile(`"id":"[^"]*"`)
	times   = regexp.MustCompile(`"created":\d+`)
	headers = []string{"Content-Type", "X-Ms-Error-Code", "Retry-After", "Retry-After-Ms", "X-Should-Retry", "X-Ingot-Dropped", "X-Ms-Client-Request-Id"}
)

func ask(t *testing.T, url, body string, header http.Header) exchange {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Api-Key", key)
	r.Header.Set("X-Ms-Client-Request-Id", "mine")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	e := exchange{Status: res.StatusCode, Header: http.Header{}, Broken: err != nil}
	e.Body = times.ReplaceAllString(ids.ReplaceAllString(string(text), `"id":""`), `"created":0`)
	for _, name := range headers {
		e.Header[name] = res.Header[name]
	}
	return e
}

// questions are asked at a door; %s stands for stream.
var questions = []struct {
	name, path, body string
	extra            string // extra-parameters
}{
	{"chat", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi \u00e9 there"}]%s}`, ""},
	{"a limit", "chat/completions", `{"model":"count","messages":[{"role":"user","content":"hi"}],"max_tokens":3%s}`, ""},
	{"thoughts", "chat/completions", `{"model":"think","messages":[{"role":"user","content":"hi"}]%s}`, ""},
	{"a call", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}}}],"tool_choice":"required"%s}`, ""},
	{"a schema", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}}%s}`, ""},
	{"passed through", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"n":2%s}`, "pass-through"},
	{"passed through in vain", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"top_k":3%s}`, "pass-through"},
	{"dropped", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"top_k":3,"safe_prompt":true%s}`, "drop"},
	{"a member unknown", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"top_k":3%s}`, ""},
	{"a value out of range", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"temperature":9%s}`, ""},
	{"filtered", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"mock:filter"}]%s}`, ""},
	{"usage apart", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}`, "pass-through"},
	{"too many", "chat/completions", `{"model":"busy","messages":[{"role":"user","content":"hi"}]%s}`, ""},
	{"an error inside", "chat/completions", `{"model":"fails","messages":[{"role":"user","content":"hi"}],"stream":true}`, ""},
	{"a cut", "chat/completions", `{"model":"cuts","messages":[{"role":"user","content":"hi"}],"stream":true}`, ""},
	{"text", "completions", `{"model":"echo","prompt":["a b","c"]%s}`, ""},
	{"a suffix", "completions", `{"model":"echo","prompt":"a","suffix":"b"%s}`, "pass-through"},
	{"a sound", "chat/completions", `{"model":"echo","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]}]%s}`, ""},
	{"vectors", "embeddings", `{"model":"vec","input":["a","b"],"dimensions":8}`, ""},
	{"base64", "embeddings", `{"model":"vec","input":"a","encoding_format":"base64"}`, ""},
}

func TestTwoIngotsInARowGiveWhatOneGives(t *testing.T) {
	one := serve(t, models)
	for name, door := range map[string]struct {
		provider string // how the second reaches the first
		path     func(model, operation string) string
		more     string // models of this door alone
	}{
		"Foundry": {
			`{type: azure, endpoint: "` + one + `/models", key: ` + key + `}`,
			func(_, op string) string { return "/models/" + op + "?api-version=2024-05-01-preview" },
			"  pix: {provider: up, kind: image-embedding}\n",
		},
		"serverless": {
			`{type: azure, endpoint: "` + one + `", surface: serverless, key: ` + key + `}`,
			func(_, op string) string { return "/" + op + "?api-version=2024-05-01-preview" },
			"  pix: {provider: up, kind: image-embedding, model: pix}\n",
		},
		"Azure OpenAI": {
			`{type: azure, endpoint: "` + one + `", surface: deployments, key: ` + key + `}`,
			func(model, op string) string {
				return "/openai/deployments/" + model + "/" + op + "?api-version=2024-10-21"
			},
			"",
		},
		"OpenAI": {
			`{type: openai, endpoint: "` + one + `", flavour: ingot, key: ` + key + `}`,
			func(_, op string) string { return "/v1/" + op },
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := "providers: {up: " + door.provider + "}\nmodels:\n" + door.more
			for _, m := range []string{"echo", "count", "think", "busy", "fails", "cuts"} {
				config += fmt.Sprintf("  %s: {provider: up, model: %[1]s}\n", m)
			}
			two := serve(t, config+"  vec: {provider: up, model: vec, kind: embedding}\n")
			all := questions
			if door.more != "" {
				const square = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
				all = append(slices.Clip(all), struct{ name, path, body, extra string }{"pictures", "images/embeddings", `{"model":"pix","input":[{"image":"` + square + `"}],"dimensions":8}`, ""})
			}
			for _, q := range all {
				model := regexp.MustCompile(`"model":"(\w+)"`).FindStringSubmatch(q.body)[1]
				for _, stream := range []string{"", `,"stream":true`} {
					body := q.body
					if !strings.Contains(body, "%s") && stream != "" {
						continue
					}
					body = strings.Replace(body, "%s", stream, 1)
					h := http.Header{}
					if q.extra != "" {
						h.Set("Extra-Parameters", q.extra)
					}
					path := door.path(model, q.path)
					want, got := ask(t, one+path, body, h), ask(t, two+path, body, h)
					if model == "cuts" { // of which the second can say more than the first, who broke off without a word
						frame := regexp.MustCompile(`data: \{"error":\{[^\n]*"The model's answer broke off before its end."[^\n]*\n\n$`)
						if !frame.MatchString(got.Body) {
							t.Errorf("%s: got %s", q.name, got.Body)
						}
						got.Body = frame.ReplaceAllString(got.Body, "")
					}
					if d := cmp.Diff(want, got); d != "" {
						t.Errorf("%s%s (want -, got +): %s", q.name, stream, d)
					}
				}
			}
		})
	}
}

func TestAnAnswerSaysWhoServedItAndAtWhichAttempt(t *testing.T) {
	one := serve(t, models)
	two := serve(t, `
providers:
  first: {type: openai, endpoint: "`+one+`", flavour: ingot, key: `+key+`}
  wrong: {type: openai, endpoint: "`+one+`", flavour: ingot, key: not-the-key-of-the-tests}
  nobody: {type: openai, endpoint: "http://127.0.0.1:1"}
models:
  chat:
    targets:
      - {provider: nobody, model: echo, weight: 1}
      - {provider: first, model: echo, weight: 0}
  late:
    targets:
      - {provider: first, model: fails, weight: 1}
      - {provider: first, model: echo, weight: 0}
  refused: {provider: wrong, model: echo}
`)
	post := func(model, stream string) (*http.Response, string, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, two+"/v1/chat/completions", strings.NewReader(`{"model":"`+model+`","messages":[{"role":"user","content":"hi"}]`+stream+`}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		res, err := (&http.Client{}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return res, string(b), err
	}
	for _, stream := range []string{"", `,"stream":true`} {
		res, body, err := post("chat", stream)
		if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("X-Ingot-Provider") != "first" || res.Header.Get("X-Ingot-Attempts") != "2" || res.Header.Get("X-Ingot-Deployment") != "chat" {
			t.Errorf("got %d %v %s, %v", res.StatusCode, res.Header, body, err)
		}
	}
	if _, body, err := post("late", `,"stream":true`); err == nil || !strings.Contains(body, `"error"`) || strings.Contains(body, "[DONE]") {
		t.Errorf("an answer that had begun: got %s, %v", body, err)
	}
	if res, body, _ := post("refused", ""); res.StatusCode != http.StatusBadGateway || strings.Contains(body, "not-the-key") || !strings.Contains(body, "credentials") {
		t.Errorf("a key of ours that is wrong: got %d %s", res.StatusCode, body)
	}
}
