package conformance_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/conformance"
	"github.com/ingot-llm/ingot/internal/conformance/report"
)

func TestEveryCheckSaysWhatItRequiresAndWhoSuffers(t *testing.T) {
	t.Parallel()
	contract, err := os.ReadFile("../../doc/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^[a-z]+(/[a-z0-9-]+){1,3}$`)
	seen := map[string]bool{}
	for _, c := range conformance.Checks() {
		if seen[c.Name] || !name.MatchString(c.Name) {
			t.Errorf("%s is no name, or there twice", c.Name)
		}
		seen[c.Name] = true
		if !strings.HasSuffix(c.Requires, ".") || !strings.HasSuffix(c.Breaks, ".") || c.Run == nil {
			t.Errorf("%s does not say in sentences what it requires and what breaks", c.Name)
		}
		if !regexp.MustCompile(`(?m)^#+ ` + regexp.QuoteMeta(c.Section) + ` `).Match(contract) {
			t.Errorf("%s: the contract has no section %s", c.Name, c.Section)
		}
	}
}

func TestChecksAreSelectedByNameGroupAndPattern(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][2]string{
		"chat/stream/done":  {"chat/stream/done", "chat/stream/done"},
		"chat/stream":       {"chat/stream/done", "chat/answer/id"},
		"chat/stream/":      {"chat/stream/done", "chat/answer/id"},
		"chat/stream/*":     {"chat/stream/done", "chat/answer/id"},
		"chat*":             {"chat/stream/done", "tools/id"},
		"*/stream/done":     {"completions/stream/done", "chat/stream/id"},
		"keys":              {"keys/bare", "routes/method"},
		"values/max-tok*":   {"values/max-tokens-type", "values/messages-type"},
		"embeddings/?nput*": {"embeddings/input/string", "embeddings/answer/id"},
	} {
		list, err := conformance.Select(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		found := map[string]bool{}
		for _, c := range list {
			found[c.Name] = true
		}
		if !found[want[0]] || want[0] != want[1] && found[want[1]] {
			t.Errorf("%s: %s is there: %t, %s is there: %t", pattern, want[0], found[want[0]], want[1], found[want[1]])
		}
	}
	for _, pattern := range []string{"nothing", "chat/[", "chat/stream/dona"} {
		if list, err := conformance.Select(pattern); err == nil {
			t.Errorf("%s: %d checks", pattern, len(list))
		}
	}
}

// claimed are options by which nothing is left out.
func claimed() conformance.Options {
	return conformance.Options{Key: "k", LimitedKey: "l", Chat: "m", Embedding: "e", Completion: "c", Reasoning: "r", Failing: "f", FilterPrompt: "x"}
}

// ask makes checks of a handler's.
func ask(t *testing.T, h http.HandlerFunc, o conformance.Options) (*report.Report, error) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http notices only then that a client leaves
		h(w, r)
	}))
	t.Cleanup(s.Close)
	o.Version = "2024-05-01-preview"
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return conformance.Run(t.Context(), s.URL, o)
}

func TestAHostileServerFailsAndHarmsNobody(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 1<<20)
	for name, h := range map[string]http.HandlerFunc{
		"an empty object": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") },
		"nothing":         func(http.ResponseWriter, *http.Request) {},
		"an endless body": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("data: x\n"), 1<<12)); err != nil {
					return
				}
			}
		},
		"deep lists": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, deep) },
		"a broken answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"a broken request": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a redirect elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://198.51.100.1/", http.StatusPermanentRedirect)
		},
		"other types everywhere": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: {\"choices\":{\"0\":1},\"data\":[[]],\"usage\":[],\"id\":{},\"error\":[],\"detail\":[1,{\"loc\":{}}]}\r\n\r\ndata: [DONE]x")
		},
		"lists of the wrong things": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"error":{"details":[null,1,"x",{"loc":["body",null]}],"code":{},"message":[]},"detail":[[],{"loc":[]}]}`)
		},
		"choices of the wrong things": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"choices":[null,1,{"message":[],"delta":1,"logprobs":1}],"data":[1,null,{"embedding":{"a":1}}],"usage":{"prompt_tokens":1e999}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := claimed()
			o.Timeout = time.Second
			if name == "an endless body" || name == "deep lists" {
				o.Only = "chat/stream" // which take time
			}
			r, err := ask(t, h, o)
			if err != nil {
				if name != "a broken request" {
					t.Fatal(err)
				}
				return // nobody is there
			}
			if r.Count(report.Failed) < len(r.Results)/2 {
				t.Errorf("%d of %d failed", r.Count(report.Failed), len(r.Results))
			}
			for _, write := range []func(io.Writer) error{
				func(w io.Writer) error { return r.Table(w, report.Style{Verbose: true}) }, func(w io.Writer) error { return r.JSON(w, true) }, r.JUnit,
			} {
				if err := write(io.Discard); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestEveryCheckFailsSomewhere(t *testing.T) {
	t.Parallel()
	failed := map[string]bool{}
	o := claimed()
	o.Timeout = time.Second
	for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError} {
		r, err := ask(t, func(w http.ResponseWriter, _ *http.Request) {
			if status == http.StatusOK {
				w.Header().Set("X-Request-Id", "1")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "{}")
		}, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Results {
			failed[r.Results[i].Check.Name] = failed[r.Results[i].Check.Name] || len(r.Results[i].Faults) > 0
		}
	}
	for _, c := range conformance.Checks() {
		if !failed[c.Name] {
			t.Errorf("%s passes any server", c.Name)
		}
	}
}

func TestASilentServerIsGivenUpOn(t *testing.T) {
	t.Parallel()
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"model_type":"chat_completion"}`)
			return
		}
		<-r.Context().Done()
	}
	begin := time.Now()
	r, err := ask(t, h, conformance.Options{Key: "k", Timeout: 100 * time.Millisecond, Without: []string{"embeddings", "completions", "tools", "format"}})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); r.Count(report.LeftOut) < 100 || took > 20*time.Second {
		t.Errorf("%d checks were left out after %s", r.Count(report.LeftOut), took)
	}
}

func TestWhatTellsOfAServerTellsNoKeys(t *testing.T) {
	t.Parallel()
	const key, limited = "a-secret-key", "another-secret"
	h := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Api-Key"))
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "{\"error\":\"wrong \\u001b[2J \u202e\u009b key %s %s\"}", r.Header.Get("Authorization"), r.Header.Get("Api-Key"))
	}
	r, err := ask(t, h, conformance.Options{Key: key, LimitedKey: limited, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var table, doc, junit bytes.Buffer
	if err := r.Table(&table, report.Style{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	if err := r.JSON(&doc, true); err != nil {
		t.Fatal(err)
	}
	if err := r.JUnit(&junit); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*bytes.Buffer{"table": &table, "JSON": &doc, "JUnit": &junit} {
		if s := b.String(); strings.Contains(s, key) || strings.Contains(s, limited) || !strings.Contains(s, "(key)") {
			t.Errorf("the %s holds a key, or says nothing of one", name)
		}
	}
	if strings.ContainsAny(table.String(), "\x1b\u009b\u202e") {
		t.Error("the table steers the terminal")
	}
	var parsed struct {
		OK     bool
		Count  map[string]int
		Checks []struct{ Name, Outcome, Section, Requires, Breaks string }
	}
	if err := json.Unmarshal(doc.Bytes(), &parsed); err != nil || parsed.OK || len(parsed.Checks) != len(r.Results) || parsed.Count["failed"] != r.Count(report.Failed) {
		t.Errorf("the JSON says: %+v, %v", parsed.Count, err)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &suites); err != nil || suites.Tests != len(r.Results) || suites.Failures != r.Count(report.Failed) {
		t.Errorf("the JUnit says: %+v, %v", suites, err)
	}
}

func TestAServerOfEmbeddingsAloneIsAskedForNothingElse(t *testing.T) {
	t.Parallel()
	h := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/info":
			_, _ = io.WriteString(w, `{"model_name":"m","model_type":"embeddings","model_provider_name":"p"}`)
		case "/embeddings":
			_, _ = io.WriteString(w, `{}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"404","message":"Resource not found"}}`)
		}
	}
	r, err := ask(t, h, conformance.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Results {
		res := &r.Results[i]
		left := res.Outcome() == report.LeftOut
		switch group := res.Check.Group(); group {
		case "chat", "completions", "tools", "format", "values":
			if !left {
				t.Errorf("%s was made", res.Check.Name)
			}
		case "info":
			if left && !strings.Contains(res.LeftOut, "--model") {
				t.Errorf("%s was left out: %s", res.Check.Name, res.LeftOut)
			}
		}
	}
}

func TestAnAddressAtWhichNothingIsAnsweredIsWrong(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for _, without := range [][]string{nil, {"info"}, {"info", "completions", "embeddings"}} {
		_, err := conformance.Run(t.Context(), server.URL, conformance.Options{Key: "k", Without: without, Timeout: time.Minute})
		if err == nil || !strings.Contains(err.Error(), "answered 404; is the address right?") {
			t.Errorf("without %v: got %v, want a doubt about the address", without, err)
		}
	}
}

func TestWrongOptionsAreNamed(t *testing.T) {
	t.Parallel()
	const nobody = "http://127.0.0.1:1"
	for _, c := range []struct {
		want, base string
		o          conformance.Options
	}{
		{"begins with http", "127.0.0.1:8080", conformance.Options{}},
		{"INGOT_KEY", "http://u:p@127.0.0.1", conformance.Options{}},
		{"from the first ?", "http://127.0.0.1/?api-version=1", conformance.Options{}},
		{"no check is", nobody, conformance.Options{Only: "x"}},
		{"knows no feature", nobody, conformance.Options{Without: []string{"wings"}}},
		{"reach the server: ", nobody, conformance.Options{Timeout: 5 * time.Second}},
	} {
		if _, err := conformance.Run(t.Context(), c.base, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v does not say %q", err, c.want)
		}
	}
}
