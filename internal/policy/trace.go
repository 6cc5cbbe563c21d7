package policy

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Trace writes one line for every request when it ends: who asked whom for what, and how it
// went; never what was said. What went wrong on our side is logged with its cause. The
// attribute that id finds in the context, if it is not nil, tells requests apart.
func Trace(log *slog.Logger, id func(context.Context) slog.Attr) Observer {
	return func(ctx context.Context, o *outcome) {
		level := o.level()
		if !log.Enabled(ctx, level) {
			return
		}
		attrs := make([]slog.Attr, 0, 16)
		if id != nil {
			attrs = append(attrs, id(ctx))
		}
		attrs = append(attrs,
			slog.String("operation", string(o.op)),
			slog.String("deployment", clip(o.env.Model, 100)),
			slog.String("caller", o.env.Caller.Name),
			milliseconds("duration_ms", o.took),
		)
		if o.first > 0 {
			attrs = append(attrs, milliseconds("first_token_ms", o.first))
		}
		if o.usage != (llm.Usage{}) {
			attrs = append(attrs, slog.Int("input_tokens", o.usage.Prompt), slog.Int("output_tokens", o.usage.Completion))
		}
		if o.meta.Attempts > 1 {
			attrs = append(attrs, slog.Int("attempts", o.meta.Attempts))
		}
		if len(o.meta.Dropped) > 0 {
			attrs = append(attrs, slog.String("dropped", clip(strings.Join(o.meta.Dropped, ", "), 500)))
		}
		if o.err != nil {
			attrs = append(attrs, slog.String("error_type", o.errorType()))
		}
		if cause := o.cause(); cause != "" {
			attrs = append(attrs, slog.String("cause", clip(cause, 1000)))
		}
		r := slog.NewRecord(time.Now(), level, "request", 0) // whose place in the code, for which LogAttrs looks, nobody wants
		r.AddAttrs(attrs...)
		_ = log.Handler().Handle(ctx, r) // as LogAttrs does
	}
}

// clip shortens a text to n bytes at most, between two runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func milliseconds(key string, d time.Duration) slog.Attr {
	return slog.Float64(key, float64(d.Microseconds())/1000)
}

// level tells bugs from failing models from callers' own mistakes.
func (o *outcome) level() slog.Level {
	switch {
	case o.err == nil:
		return slog.LevelInfo
	case o.err.Kind == llm.Internal:
		return slog.LevelError
	case o.ours():
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// ours reports whether a request failed for a reason that an operator can do something about.
func (o *outcome) ours() bool {
	if o.err == nil {
		return false
	}
	k := o.err.Kind
	return k == llm.Internal || k == llm.Upstream || k == llm.Unavailable || k == llm.Timeout
}

// cause says why a request failed on our side. A model's own message may repeat the prompt
// and is left out.
func (o *outcome) cause() string {
	switch {
	case !o.ours():
		return ""
	case o.err.Err != nil:
		return o.err.Err.Error()
	case o.err.Kind == llm.Upstream:
		return ""
	}
	return o.err.Message
}
