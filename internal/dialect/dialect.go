// Package dialect is what all doors share: who calls and with what body, which deployment is
// meant, the loop that writes a stream, and how an error becomes an answer. Each API that is
// served is a package below this one.
package dialect

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Directory knows the deployments.
type Directory interface {
	// Lookup finds a deployment by its name, exactly or else ignoring case.
	Lookup(name string) (llm.ModelInfo, bool)
	// Resolve is Lookup, or else finds the deployment that stands in for a model of another name that is asked for an
	// operation. Doors read the names of callers with it.
	Resolve(name string, op llm.Operation) (llm.ModelInfo, bool)
	// Default is the deployment that an operation gets when none is named.
	Default(llm.Operation) (llm.ModelInfo, bool)
	List() []llm.ModelInfo
}

// Options is what a door needs.
type Options struct {
	Backend llm.Backend
	Models  Directory
	// Authenticate says who sent a request, or an *llm.Error: Unauthenticated, Denied or Unavailable.
	Authenticate func(*http.Request) (llm.Caller, error)
	// AllowHost judges the Host header, against pages that reach a loopback address under a name of
	// their own (DNS rebinding); nil allows all.
	AllowHost    func(host string) bool
	MaxBody      int64         // bytes; more is 413
	BodyTimeout  time.Duration // without progress
	BodyTotal    time.Duration // for a whole body
	BodyMemory   int64         // bytes that the bodies of all requests and answers may hold together; 0 is no bound
	Budget       *Budget       // what they hold
	WriteTimeout time.Duration // for each write of a stream
	Logger       *slog.Logger
}

// exchange is what is known of a request while it is answered.
type exchange struct {
	id   string // which its answer and its log lines share
	held int64  // of the budget
}

type exchangeKey struct{}

// Begin returns a context for one request. Under one that has none, Serve makes one, and a copy of the request for it.
func Begin(ctx context.Context) context.Context {
	return context.WithValue(ctx, exchangeKey{}, &exchange{})
}

// of returns the exchange that ctx belongs to.
func of(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// RequestID returns the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string { return of(ctx).id }

var (
	idPrefix  = newPrefix()
	idCounter atomic.Uint64
)

func newPrefix() (p [8]byte) {
	_, _ = rand.Read(p[:]) // never fails (crypto/rand)
	return p
}

// NewID returns 32 hexadecimal digits that no other answer has.
func NewID() string {
	id := newID()
	return hex.EncodeToString(id[:])
}

func newID() (id [16]byte) {
	copy(id[:], idPrefix[:])
	// The multiplication by an odd number scatters consecutive counts and keeps them distinct.
	binary.BigEndian.PutUint64(id[8:], idCounter.Add(1)*0x9e3779b97f4a7c15)
	return id
}

func guid() string {
	id, s := newID(), [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	hex.Encode(s[:8], id[:4])
	hex.Encode(s[9:13], id[4:6])
	hex.Encode(s[14:18], id[6:8])
	hex.Encode(s[19:23], id[8:10])
	hex.Encode(s[24:], id[10:])
	return string(s[:])
}

// ErrorWriter writes an error in the shape of one door.
type ErrorWriter func(w http.ResponseWriter, r *http.Request, e *llm.Error)

// Handler answers or returns an error, for which nothing has been written yet. Serve turns the
// error into the door's answer.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Serve gives every answer its ids and turns a handler's error into the door's shape.
func (o *Options) Serve(h Handler, write ErrorWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := guid()
		x, begun := r.Context().Value(exchangeKey{}).(*exchange)
		if !begun {
			r = r.WithContext(Begin(r.Context()))
			x = of(r.Context())
		}
		x.id = id
		header := w.Header()
		fields := newFields(header, 4)
		fields.set("X-Request-Id", id)
		fields.set("Apim-Request-Id", id)
		fields.set("X-Content-Type-Options", "nosniff")
		if c := clientID(r.Header.Get("X-Ms-Client-Request-Id")); c != "" {
			fields.set("X-Ms-Client-Request-Id", c)
		}
		defer func() {
			o.release(x)
			if p := recover(); p != nil {
				if p != http.ErrAbortHandler { //nolint:errorlint,err113 // the value itself is what net/http looks for
					o.Logger.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", id), slog.Any("value", p), slog.String("stack", string(debug.Stack())))
				}
				// How much was sent is not known, so that only a broken connection is sure to be no answer.
				panic(http.ErrAbortHandler)
			}
		}()
		err := error(&llm.Error{Kind: llm.Malformed, Message: "HTTP/2 is spoken over TLS only: use HTTP/1.1, or an https address."})
		if r.Method != "PRI" { // which net/http lets through
			err = h(w, r)
		}
		if err == nil {
			return
		}
		if errors.Is(err, errAborted) {
			// Only a broken connection tells every client that the answer is not whole (doc/protocol.md §3.9).
			panic(http.ErrAbortHandler)
		}
		e := o.shown(r, err)
		o.logRefusal(r, e)
		MetaHeaders(header, e.Meta)
		o.refuse(w, r, e, write)
	})
}

// logRefusal notes a request that no backend heard of, and of which no policy has logged anything.
func (o *Options) logRefusal(r *http.Request, e *llm.Error) {
	if e.Meta.Deployment != "" || e.Kind == llm.RateLimited || e.Kind == llm.Internal {
		return
	}
	const most = 200
	attrs := []slog.Attr{
		slog.String("request_id", RequestID(r.Context())),
		slog.String("method", r.Method), slog.String("path", r.URL.Path[:min(len(r.URL.Path), most)]),
		slog.String("error_type", e.Kind.String()), slog.String("param", memberName(e.Param)),
	}
	if e.Err != nil && (e.Kind == llm.Unauthenticated || e.Kind == llm.Denied || e.Kind == llm.Unavailable) {
		attrs = append(attrs, slog.String("cause", fmt.Sprintf("%.200s", e.Err.Error()))) // which only the operator may know
	}
	o.Logger.LogAttrs(r.Context(), slog.LevelInfo, "request refused", attrs...)
}

// memberName is s where it reads like a member's name; anything else might be a text in the wrong place.
func memberName(s string) string {
	const most = 64
	if len(s) > most || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") != "" {
		return "?"
	}
	return s
}

// shown is an error as the caller may see it: what is wrong with us, not with a backend, goes to the log.
func (o *Options) shown(r *http.Request, err error) *llm.Error {
	e := llm.AsError(err)
	if e.Kind != llm.Internal || e.Backend != "" {
		return e
	}
	id := RequestID(r.Context())
	o.Logger.LogAttrs(r.Context(), slog.LevelError, "internal error", slog.String("request_id", id), slog.Any("error", err))
	return &llm.Error{Kind: llm.Internal, Message: "Internal error. The log has more under the id " + id + ".", Meta: e.Meta}
}

// Challenge is the WWW-Authenticate of a 401 (doc/protocol.md §7.4, §10.2).
func Challenge(e *llm.Error) string {
	if e.Code == llm.CodeInvalidToken {
		return `Bearer error="invalid_token"`
	}
	return "Bearer"
}

// clientID keeps what may be echoed of a caller's own id: [A-Za-z0-9_-], 40 at most.
func clientID(s string) string {
	keep := strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, s[:min(len(s), 256)])
	return keep[:min(len(keep), 40)]
}
