package check

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/conformance/call"
)

// Framing lists the rules of a stream's bytes, the same for every operation that streams. open makes the stream.
func Framing(prefix, section string, open func(t *T, o ...Option) *Stream) []Check {
	flawless := func(name, requires, breaks string, flaws ...call.Flaw) Check {
		return Check{
			Name: prefix + name, Section: section, Requires: requires, Breaks: breaks,
			Run: func(t *T) {
				s := open(t)
				for _, f := range s.Flaws {
					if slices.Contains(flaws, f.Flaw) {
						t.Fault("line %d: %s: %s", f.Line, f.Flaw, clip(f.Text))
					}
				}
			},
		}
	}
	const valueError = "azure-ai-inference for Python raises ValueError"
	return []Check{
		{
			Name: prefix + "content-type", Section: section,
			Requires: "A stream's Content-Type is text/event-stream.",
			Breaks:   "Clients and proxies that tell a stream by it: they wait for the end.",
			Run: func(t *T) {
				if s := open(t); len(s.Chunks) > 0 && s.MediaType() != eventStream {
					t.Fault("Content-Type is %q", s.Header.Get("Content-Type"))
				}
			},
		},
		{
			Name: prefix + "unbuffered", Section: "2.2",
			Requires: "A stream carries cache-control: no-cache and x-accel-buffering: no.",
			Breaks:   "Users behind nginx and other proxies: they see nothing before the end.",
			Run: func(t *T) {
				s := open(t)
				if len(s.Chunks) == 0 {
					return
				}
				if got := s.Header.Get("Cache-Control"); !strings.Contains(got, "no-cache") {
					t.Fault("cache-control is %q", got)
				}
				if got := s.Header.Get("X-Accel-Buffering"); got != "no" {
					t.Fault("x-accel-buffering is %q", got)
				}
			},
		},
		{
			Name: prefix + "identity", Section: "2.1",
			Requires: "A stream is not compressed, whatever Accept-Encoding says.",
			Breaks:   "Every SDK: all send gzip, and pieces stay in the compressor.",
			Run: func(t *T) {
				s := open(t, Header("Accept-Encoding", "gzip, deflate"))
				if got := s.Header.Get("Content-Encoding"); s.Status() == http.StatusOK && got != "" && got != "identity" {
					t.Fault("Content-Encoding is %q", got)
				}
			},
		},
		flawless("space", "A space follows `data:`.", valueError+".", call.FlawSpace),
		flawless("lf", "Lines end with LF alone.", valueError+".", call.FlawCR),
		flawless("comments", "There are no comment lines, not even to keep the connection alive.",
			valueError+"; the Java SDK fails to parse it.", call.FlawComment),
		flawless("fields", "There are no other lines than data: no event, id or retry.",
			valueError+"; .NET's reader throws, Java's fails to parse it.", call.FlawField),
		flawless("one-line", "An event is one line of data, followed by one blank line.",
			".NET takes exactly one line for each event.", call.FlawSplit, call.FlawJoined, call.FlawBlank),
		flawless("utf8", "The bytes are UTF-8, without a byte order mark, and no character is split over events.",
			"Clients decode each event by itself and show � or fail.", call.FlawUTF8, call.FlawBOM),
		{
			Name: prefix + "json", Section: section,
			Requires: "The data of every event but the last is one JSON object.",
			Breaks:   "Every client: each parses event by event.",
			Run: func(t *T) {
				for i, e := range open(t).Events {
					v, err := decode([]byte(e))
					if _, ok := v.(map[string]any); !ok && !strings.HasPrefix(e, Done) {
						t.Fault("event %d is no JSON object (%v): %s", i, err, clip(e))
					}
				}
			},
		},
		{
			Name: prefix + "done", Section: section,
			Requires: "The last event is `data: [DONE]`, once, and nothing follows it.",
			Breaks:   ".NET's async enumerator spins forever without it.",
			Run: func(t *T) {
				s := open(t)
				n := slices.Index(s.Events, Done)
				switch {
				case len(s.Chunks) == 0:
				case n < 0:
					t.Fault("the stream ends without it, with %s", clip(s.Events[len(s.Events)-1]))
				case n != len(s.Events)-1:
					t.Fault("%d events follow it: %s", len(s.Events)-1-n, clip(s.Events[n+1]))
				}
			},
		},
		{
			Name: prefix + "end", Section: section,
			Requires: "After [DONE] the response ends as HTTP wants it.",
			Breaks:   "azure-core for Python raises `Response ended prematurely`.",
			Run: func(t *T) {
				if s := open(t); s.Status() == http.StatusOK && s.Err != nil {
					t.Fault("%v", s.Err)
				}
			},
		},
		constant(prefix, "id", section, open),
		constant(prefix, "created", section, open),
		constant(prefix, "model", section, open),
		{
			Name: prefix + "choices", Section: section,
			Requires: "Every chunk has a list `choices`, which is empty in none but those of usage alone.",
			Breaks:   "JavaScript samples iterate it and throw TypeError; .NET and Java fail.",
			Run: func(t *T) {
				for _, c := range open(t).Chunks {
					if list := c.At("choices"); list.Exists() && len(list.List()) == 0 && (!c.Has("usage") || c.At("usage").Null()) {
						c.Fault("has no choice and no usage")
					}
				}
			},
		},
		{
			Name: prefix + "index", Section: section,
			Requires: "Every choice has index 0 where one was asked for.",
			Breaks:   "OpenAI's SDKs put the pieces together by it.",
			Run: func(t *T) {
				for _, c := range open(t).Choices() {
					c.At("index").Is(0)
				}
			},
		},
		{
			Name: prefix + "finish", Section: section,
			Requires: "finish_reason is null in every choice but the last, where it is stop, length, content_filter or tool_calls.",
			Breaks:   "Clients stop too early, or never know why it ended.",
			Run: func(t *T) {
				all := open(t).Choices()
				for i, c := range all {
					f := c.At("finish_reason")
					switch {
					case i == len(all)-1:
						f.OneOf(FinishReasons...)
					case f.Exists() && !f.Null():
						f.Fault("is %s, and %d choices follow", f, len(all)-1-i)
					}
				}
			},
		},
		{
			Name: prefix + "usage", Section: section,
			Requires: "The last chunk with a choice carries usage without being asked, and no other does; total = prompt + completion.",
			Breaks:   "The inference SDKs' users, who read update.usage: they cannot ask for it.",
			Run: func(t *T) {
				s := open(t)
				last := s.Last()
				if !last.Exists() {
					return
				}
				Usage(last.At("usage"))
				for _, c := range s.Chunks {
					if u := c.Maybe("usage"); u.Exists() && !u.Null() && c.path != last.path {
						u.Fault("is there too soon, or a second time")
					}
				}
			},
		},
	}
}

func constant(prefix, member, section string, open func(t *T, o ...Option) *Stream) Check {
	return Check{
		Name: prefix + member, Section: section,
		Requires: "Every chunk has the same " + member + ".",
		Breaks:   "The SDKs' own tests, and clients that tell answers apart by it.",
		Run: func(t *T) {
			s := open(t)
			for _, c := range s.Chunks {
				v := c.At(member)
				if member == "created" {
					Created(v)
				} else {
					v.NonEmpty()
				}
				if first := s.Chunks[0].Maybe(member); v.Exists() && first.Exists() && v.String() != first.String() {
					v.Fault("is %s, and was %s in the first chunk", v, first)
				}
			}
		},
	}
}

// FinishReasons are those of the contract.
var FinishReasons = []string{"stop", "length", "content_filter", "tool_calls"}

// Usage requires the counts of tokens.
func Usage(u Value) {
	if u.Null() {
		u.Fault("is null")
		return
	}
	prompt, completion, total := u.At("prompt_tokens"), u.At("completion_tokens"), u.At("total_tokens")
	p, c, n := prompt.Int(), completion.Int(), total.Int()
	if prompt.Exists() && completion.Exists() && total.Exists() && p+c != n {
		total.Fault("is %d, not %d + %d", n, p, c)
	}
}

// Created requires a plausible time in Unix seconds.
func Created(v Value) {
	const first = 1_500_000_000
	if n := v.Int(); v.Exists() && (n < first || n > time.Now().Add(24*time.Hour).Unix()) {
		v.Fault("is %s, which is no time of today in Unix seconds", v)
	}
}

// SameText requires two ways to one text to agree. An engine's arithmetic may tip a near choice of
// tokens over, so that they may differ twice of three times.
func SameText(t *T, ask func(o ...Option) (a, b string)) {
	const tries = 3
	var a, b string
	for n := range tries {
		if a, b = ask(Nth(n)); a == b || len(t.faults) > 0 {
			return
		}
	}
	t.Fault("%q is once, and the other time it is %q", a, b)
}

// ID requires an answer's id as the services write it.
func ID(v Value) {
	if s := v.NonEmpty(); s != "" && !ids.MatchString(s) {
		v.Fault("is %s: neither 32 hexadecimal digits nor a GUID nor a known prefix with letters and digits", v)
	}
}

var ids = regexp.MustCompile(`^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(chatcmpl|cmpl|embd)-[A-Za-z0-9_-]+)$`)
