package azureai_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
	"github.com/ingot-llm/ingot/internal/route"
)

// key admits to every door of these tests.
const key = "sesame"

// named is a mock model and the deployment that it answers for.
type named struct {
	deployment string
	options    mock.Options
}

// mocks are deployments of every kind; the first that can is the default of an operation.
var mocks = []named{
	{"echo", mock.Options{Name: "parrot-1"}},
	{"think", mock.Options{Name: "thinker-1", Behaviour: mock.Reasoning}},
	{"vectors", mock.Options{Name: "vectors-1", Behaviour: mock.Embedding, Dimensions: 16}},
	{"openai/gpt-4o", mock.Options{Name: "parrot-2"}},
	{"two words", mock.Options{Name: "parrot-3"}},
	{"cut", mock.Options{Name: "parrot-4", Fault: &mock.Fault{Cut: 1}}},
	{"fail", mock.Options{Name: "parrot-5", Fault: &mock.Fault{Error: 1}}},
	{"busy", mock.Options{Name: "parrot-6", Fault: &mock.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}}},
	{"slow", mock.Options{Name: "parrot-7", Fault: &mock.Fault{Stall: 1}}},
	{"chat", mock.Options{Name: "parrot-8"}},
}

func table(t testing.TB, models ...named) *route.Table {
	t.Helper()
	return aliased(t, route.Aliases{}, models...)
}

func aliased(t testing.TB, names route.Aliases, models ...named) *route.Table {
	t.Helper()
	var ds []route.Deployment
	for _, n := range models {
		m := mock.New(n.options)
		infos, err := m.Models(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		infos[0].Deployment = n.deployment
		ds = append(ds, route.Deployment{Targets: []route.Target{{Backend: m, Info: infos[0]}}})
	}
	return route.New(ds, "", names)
}

// options are a door's over a table; change may alter them.
func options(rt *route.Table, change func(*azureai.Options)) azureai.Options {
	keys := auth.New([]auth.Key{{Secret: key, Caller: llm.Caller{Name: "tester"}}}, nil)
	o := azureai.Options{Options: dialect.Options{
		Backend: rt, Models: rt, MaxBody: 1 << 20, Logger: slog.New(slog.DiscardHandler),
		Authenticate: auth.Authenticator{Keys: keys}.Authenticate,
	}}
	if change != nil {
		change(&o)
	}
	return o
}

// door serves the mocks on a port of the kernel's.
func door(t testing.TB, change func(*azureai.Options)) string {
	t.Helper()
	return serve(t, azureai.Handler(options(table(t, mocks...), change)))
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

func backed(b llm.Backend) func(*azureai.Options) {
	return func(o *azureai.Options) { o.Backend = b }
}

// get and post are requests as they go over the wire.
func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: ingot\r\n" + lines(headers) + "\r\n"
}

func post(path, body string, headers ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: ingot\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n" + lines(headers) + "\r\n" + body
}

// lines are header lines, with the key unless there is one.
func lines(headers []string) string {
	var b strings.Builder
	keyed := false
	for _, h := range headers {
		lower := strings.ToLower(h)
		keyed = keyed || strings.HasPrefix(lower, "api-key:") || strings.HasPrefix(lower, "authorization:")
		if h != "api-key:none" {
			b.WriteString(h + "\r\n")
		}
	}
	if !keyed {
		b.WriteString("api-key: " + key + "\r\n")
	}
	return b.String()
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	guids   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	anyGUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	ids     = regexp.MustCompile(`"id":"[0-9a-f]{32}"`)
	texts   = regexp.MustCompile(`"id":"cmpl-[0-9a-f]{32}"`)
	calls   = regexp.MustCompile(`"id":"call_[0-9a-f]{24}"`)
	created = regexp.MustCompile(`"created":[0-9]{10}\b`)
)

// mask checks and hides the ids and times of a body.
func mask(body string) string {
	body = calls.ReplaceAllString(body, `"id":"CALL"`)
	body = texts.ReplaceAllString(body, `"id":"TEXT"`)
	return created.ReplaceAllString(ids.ReplaceAllString(body, `"id":"ID"`), `"created":NOW`)
}

// answer sends a request and writes down what came back: the status line, the headers in order of
// their names, and the body. What every answer has is checked and left out.
func answer(t testing.TB, addr, request string) string {
	t.Helper()
	c := dial(t, addr)
	go func() { _, _ = io.WriteString(c, request) }() // a refused body is not read to its end
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	h := res.Header
	if id := h.Get("x-request-id"); !guids.MatchString(id) || h.Get("apim-request-id") != id {
		t.Errorf("request ids are %q and %q", id, h.Get("apim-request-id"))
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Date") == "" {
		t.Errorf("headers are %v", h)
	}
	for _, name := range []string{"x-request-id", "apim-request-id", "X-Content-Type-Options", "Date", "Content-Length"} {
		h.Del(name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", res.StatusCode)
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range h[name] {
			b.WriteString(strings.ToLower(name) + ": " + v + "\n")
		}
	}
	b.WriteString("\n" + mask(string(body)))
	if err != nil {
		b.WriteString("<" + err.Error() + ">")
	}
	return b.String()
}

// ok is an answer of 200 by a mock.
func ok(deployment, body string) string {
	return "200\ncontent-type: application/json\nx-ingot-attempts: 1\nx-ingot-deployment: " + deployment + "\nx-ingot-provider: mock\n\n" + body
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

// chunk is a chunk of a streamed chat with one choice.
func chunk(model, rest string) string {
	return `{"id":"ID","object":"chat.completion.chunk","created":NOW,"model":"` + model + `","choices":[{"index":0,` + rest
}

type exchange struct{ name, request, want string }

func compare(t *testing.T, addr string, cases []exchange) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, answer(t, addr, c.request)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// readAll reads what comes until the connection ends, and how it ended.
func readAll(t testing.TB, c net.Conn) string {
	t.Helper()
	var b bytes.Buffer
	_, err := b.ReadFrom(c)
	if err != nil {
		b.WriteString("<" + err.Error() + ">")
	}
	return b.String()
}
