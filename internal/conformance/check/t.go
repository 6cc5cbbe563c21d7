package check

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/conformance/call"
)

// Subject is the server that is looked at and how it is spoken to.
type Subject struct {
	Client     *call.Client
	Key        string
	LimitedKey string // is refused after a few requests
	Version    string // api-version
	// The deployments to name; "" names none.
	Chat, Completion, Embedding, Images, Reasoning, Failing string
	FilterPrompt                                            string // is refused by the content filter
	Timeout                                                 time.Duration
}

// Session remembers what a Subject answered, so that many checks may look at one answer. It is for
// one goroutine.
type Session struct {
	Subject
	memory map[string]*call.Exchange
	silent int
}

// NewSession begins a session.
func NewSession(s Subject) *Session { return &Session{Subject: s, memory: map[string]*call.Exchange{}} }

// Silent says that the server gave no answer to several requests in a row.
func (s *Session) Silent() bool {
	const most = 5
	return s.silent >= most
}

// do performs an exchange, or remembers it.
func (s *Session) do(ctx context.Context, r call.Request) *call.Exchange {
	key := r.Key()
	if e, ok := s.memory[key]; ok {
		return e
	}
	e := s.Client.Do(ctx, r)
	s.memory[key] = e
	s.silent++
	if e.Status != 0 || r.Claim > 0 {
		s.silent = 0
	}
	return e
}

// T is what a check asks and reports through.
type T struct {
	*Session
	ctx       context.Context
	faults    []string
	exchanges []*call.Exchange
}

// Start makes the T of one check. ctx bounds it.
func (s *Session) Start(ctx context.Context) *T { return &T{Session: s, ctx: ctx} }

const (
	mostFaults = 5
	mostText   = 300
)

// Fault reports a violation.
func (t *T) Fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(t.faults) < mostFaults && !slices.Contains(t.faults, text) {
		t.faults = append(t.faults, text)
	}
}

// Faults are the violations so far.
func (t *T) Faults() []string { return t.faults }

// Exchanges are what was sent and what came, each once.
func (t *T) Exchanges() []*call.Exchange { return t.exchanges }

// M is the members of a request's body.
type M map[string]any

// L is a list in a request's body.
type L []any

type absent struct{}

// Absent as a member's value leaves the member out.
var Absent any = absent{}

// Option changes a request.
type Option func(*call.Request)

// Header sets a header; "" removes it.
func Header(name, value string) Option {
	return func(r *call.Request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}

// Query replaces the query.
func Query(raw string) Option { return func(r *call.Request) { r.Query = raw } }

// Version asks for an api-version; "" for none.
func Version(v string) Option {
	if v == "" {
		return Query("")
	}
	return Query("api-version=" + v)
}

// NoKey sends no key.
func NoKey(r *call.Request) {
	r.Header.Del("Api-Key")
	r.Header.Del("Authorization")
}

// Body replaces the body.
func Body(text string) Option { return func(r *call.Request) { r.Body = text } }

// Again asks once more what may have been asked before.
func Again(r *call.Request) { r.Repeat++ }

// Compressed sends the body in gzip.
func Compressed(r *call.Request) {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, r.Body) // a Builder takes everything
	_ = z.Close()
	r.Body = b.String()
	r.Header.Set("Content-Encoding", "gzip")
}

// Nth tells one of many requests that are else the same.
func Nth(n int) Option { return func(r *call.Request) { r.Repeat = n } }

// Claim announces a length and sends nothing.
func Claim(length int64) Option {
	return func(r *call.Request) { r.Body, r.Claim = "", length }
}

// PassThrough hands members of no contract to the model.
func PassThrough(r *call.Request) { r.Header.Set("Extra-Parameters", "pass-through") }

// Send sends a request as the Python SDK would, but for what the options change.
func (t *T) Send(method, path, body string, options ...Option) *Answer {
	r := call.Request{Method: method, Path: path, Body: body, Header: http.Header{}}
	r.Header.Set("Accept", "application/json")
	if t.Key != "" {
		r.Header.Set("Api-Key", t.Key)
		r.Header.Set("Authorization", "Bearer "+t.Key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	Version(t.Version)(&r)
	for _, o := range options {
		o(&r)
	}
	e := t.do(t.ctx, r)
	if len(t.exchanges) == 0 || t.exchanges[len(t.exchanges)-1] != e {
		t.exchanges = append(t.exchanges, e)
	}
	if e.Status == 0 {
		t.Fault("%s %s: no answer: %v", method, path, e.Err)
	} else if e.Endless {
		t.Fault("%s %s: more than %d bytes came", method, path, call.MaxBody)
	}
	return &Answer{Exchange: e, t: t}
}

func (t *T) post(path string, base, members M, options []Option) *Answer {
	body := maps.Clone(base)
	maps.Copy(body, members)
	maps.DeleteFunc(body, func(_ string, v any) bool { return v == Absent })
	text, err := json.Marshal(body)
	if err != nil {
		t.Fault("the check itself is wrong: %v", err)
	}
	return t.Send(http.MethodPost, path, string(text), options...)
}

// Prompt is what a chat says unless the check says something else.
const Prompt = "Say these words: one two three four five six seven."

const fewTokens = 24

// Brief asks for an answer of which nothing is looked at but that it is one.
func Brief() M { return M{"max_tokens": 2} }

// Chat asks for an answer to a short conversation, with members added or replaced.
func (t *T) Chat(members M, options ...Option) *Answer {
	return t.post("/chat/completions", t.named(t.Subject.Chat, M{"messages": L{User(Prompt)}, "max_tokens": fewTokens, "temperature": 0}), members, options)
}

// ChatStream asks for the same as Chat, streamed.
func (t *T) ChatStream(members M, options ...Option) *Stream {
	members = maps.Clone(members)
	if members == nil {
		members = M{}
	}
	members["stream"] = true
	return t.Chat(members, options...).Stream()
}

// Complete asks for the continuation of a text.
func (t *T) Complete(members M, options ...Option) *Answer {
	return t.post("/completions", t.named(t.Completion, M{"prompt": "one two three four", "max_tokens": fewTokens, "temperature": 0}), members, options)
}

// Embed asks for the vector of a text.
func (t *T) Embed(members M, options ...Option) *Answer {
	return t.post("/embeddings", t.named(t.Embedding, M{"input": L{"a red square"}}), members, options)
}

// EmbedImages asks for the vectors of images, which members name.
func (t *T) EmbedImages(members M, options ...Option) *Answer {
	return t.post("/images/embeddings", t.named(t.Images, M{}), members, options)
}

// Info asks what the model is.
func (t *T) Info(options ...Option) *Answer {
	return t.Send(http.MethodGet, "/info", "", options...)
}

func (t *T) named(model string, body M) M {
	if model != "" {
		body["model"] = model
	}
	return body
}

// User is a message of the user's.
func User(content any) M { return M{"role": "user", "content": content} }

// AtModels says that the address is a Foundry resource's, where the body's model decides.
func (t *T) AtModels() bool { return strings.HasSuffix(t.Client.Base(), "/models") }

// clip makes a text short enough for a line.
func clip(text string) string {
	if len(text) > mostText {
		text = strings.ToValidUTF8(text[:mostText], "") + "…"
	}
	return text
}
