package openai_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/openai"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
	"github.com/ingot-llm/ingot/internal/route"
)

// key admits to every door of these tests.
const key = "sesame"

// mocks are deployments of every kind, and the models that answer for them.
var mocks = []struct {
	deployment string
	options    mock.Options
}{
	{"echo", mock.Options{Name: "parrot-1"}},
	{"think", mock.Options{Name: "thinker-1", Behaviour: mock.Reasoning}},
	{"vectors", mock.Options{Name: "vectors-1", Behaviour: mock.Embedding, Dimensions: 2}},
	{"openai/gpt-4o", mock.Options{Name: "parrot-2"}},
	{"two words", mock.Options{Name: "parrot-3"}},
	{"cut", mock.Options{Name: "parrot-4", Fault: &mock.Fault{Cut: 1}}},
	{"fail", mock.Options{Name: "parrot-5", Fault: &mock.Fault{Error: 1}}},
	{"chat", mock.Options{Name: "parrot-6"}},
}

func table(t testing.TB, change func(*llm.ModelInfo)) *route.Table {
	t.Helper()
	var ds []route.Deployment
	for _, n := range mocks {
		m := mock.New(n.options)
		infos, err := m.Models(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		infos[0].Deployment = n.deployment
		if change != nil {
			change(&infos[0])
		}
		ds = append(ds, route.Deployment{Targets: []route.Target{{Backend: m, Info: infos[0]}}})
	}
	return route.New(ds, "", route.Aliases{})
}

// door is a handler over the mocks; change may alter its options.
func door(t testing.TB, change func(*openai.Options)) http.Handler {
	t.Helper()
	rt := table(t, nil)
	keys := auth.New([]auth.Key{{Secret: key, Caller: llm.Caller{Name: "tester"}}}, nil)
	o := openai.Options{Options: dialect.Options{
		Backend: rt, Models: rt, MaxBody: 1 << 20, Logger: slog.New(slog.DiscardHandler),
		Authenticate: auth.Authenticator{Keys: keys}.Authenticate,
	}}
	if change != nil {
		change(&o)
	}
	return openai.Handler(o)
}

// limited is a door whose deployments are not as the mocks are.
func limited(t testing.TB, change func(*llm.ModelInfo)) http.Handler {
	t.Helper()
	rt := table(t, change)
	return door(t, func(o *openai.Options) { o.Backend, o.Models = rt, rt })
}

func backed(b llm.Backend) func(*openai.Options) {
	return func(o *openai.Options) { o.Backend = b }
}

var (
	guids   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	chatIDs = regexp.MustCompile(`"id":"chatcmpl-[0-9a-f]{29}"`)
	textIDs = regexp.MustCompile(`"id":"cmpl-[0-9a-f]{29}"`)
	callIDs = regexp.MustCompile(`"id":"call_[0-9a-f]{24}"`)
	created = regexp.MustCompile(`"created":[0-9]{10}\b`)
)

// mask checks and hides the ids and times of a body.
func mask(body string) string {
	body = chatIDs.ReplaceAllString(body, `"id":"ID"`)
	body = textIDs.ReplaceAllString(body, `"id":"TEXT"`)
	body = callIDs.ReplaceAllString(body, `"id":"CALL"`)
	return created.ReplaceAllString(body, `"created":NOW`)
}

// answer writes down what comes back: the status, the headers in order of their names, and the body. What every answer has is
// checked and left out.
func answer(t testing.TB, h http.Handler, request, body string, headers ...string) string {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	var in io.Reader = http.NoBody
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, in)
	r.Header.Set("api-key", key)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	broken := ""
	func() {
		defer func() {
			if p := recover(); p != nil {
				broken = fmt.Sprintf("<%v>", p)
			}
		}()
		h.ServeHTTP(w, r)
	}()
	got := w.Header()
	if id := got.Get("x-request-id"); !guids.MatchString(id) || got.Get("apim-request-id") != id || got.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers are %v", got)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", w.Code)
	names := make([]string, 0, len(got))
	for name := range got {
		if !slices.Contains([]string{"X-Request-Id", "Apim-Request-Id", "X-Content-Type-Options", "Content-Length"}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range got[name] {
			b.WriteString(strings.ToLower(name) + ": " + v + "\n")
		}
	}
	b.WriteString("\n" + mask(w.Body.String()) + broken)
	return b.String()
}

// exchange is a request, and the answer that the contract wants.
type exchange struct {
	name, request, body string
	headers             []string
	want                string
}

func compare(t *testing.T, h http.Handler, cases []exchange) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, answer(t, h, c.request, c.body, c.headers...)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// ok is an answer of 200 by a mock; more are its other headers.
func ok(deployment, body string, more ...string) string {
	return "200\ncontent-type: application/json\nx-ingot-attempts: 1\nx-ingot-deployment: " + deployment + "\n" + lines(more) + "x-ingot-provider: mock\n\n" + body
}

// plain is an answer of 200 that no model gave.
func plain(body string) string { return "200\ncontent-type: application/json\n\n" + body }

func lines(headers []string) string {
	if len(headers) == 0 {
		return ""
	}
	return strings.Join(headers, "\n") + "\n"
}

// events is a streamed answer of a mock.
func events(deployment string, data ...string) string {
	return "200\ncache-control: no-cache\ncontent-type: text/event-stream\nx-accel-buffering: no\nx-ingot-attempts: 1\nx-ingot-deployment: " +
		deployment + "\nx-ingot-provider: mock\n\n" + frames(data...)
}

func frames(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		b.WriteString("data: " + d + "\n\n")
	}
	return b.String()
}

// refusal is an error of doc/protocol.md §9.2.
func refusal(status int, code, message, kind, param string, headers ...string) string {
	all := append([]string{"content-type: application/json", "x-ms-error-code: " + code}, headers...)
	slices.SortFunc(all, func(a, b string) int {
		a, _, _ = strings.Cut(a, ":")
		b, _, _ = strings.Cut(b, ":")
		return strings.Compare(a, b)
	})
	return fmt.Sprintf("%d\n%s\n%s", status, lines(all), failure(code, message, kind, param))
}

// failure is the body of an error.
func failure(code, message, kind, param string) string {
	return fmt.Sprintf(`{"error":{"message":%s,"type":%s,"param":%s,"code":"%s"}}`, quote(message), orNull(kind), orNull(param), code)
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return quote(s)
}

const wait = 1500 * time.Millisecond

// deploymentOf is who gave an answer, or its status where nobody did.
func deploymentOf(answer string) string {
	if _, rest, ok := strings.Cut(answer, "x-ingot-deployment: "); ok {
		name, _, _ := strings.Cut(rest, "\n")
		return strings.Trim(name, `"`)
	}
	status, _, _ := strings.Cut(answer, "\n")
	return status
}

// vectors is a model that embeds whatever comes.
type vectors [][]float32

func (v vectors) Embed(context.Context, *llm.EmbedRequest) (*llm.EmbedReply, error) {
	return &llm.EmbedReply{Vectors: v, Usage: &llm.Usage{Prompt: 4}}, nil
}

func (vectors) Chat(context.Context, *llm.ChatRequest) llm.Stream         { return nil }
func (vectors) Complete(context.Context, *llm.CompleteRequest) llm.Stream { return nil }
func (vectors) Models(context.Context) ([]llm.ModelInfo, error)           { return nil, nil }
