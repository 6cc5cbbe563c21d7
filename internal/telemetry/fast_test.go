package telemetry_test

import (
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/telemetry"
)

// Whatever is logged, the line is that of slog's own handler.
func TestLinesAreThoseOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	var got, want strings.Builder
	log, err := telemetry.NewLogger(&got, slog.LevelInfo, "json")
	if err != nil {
		t.Fatal(err)
	}
	std := slog.NewJSONHandler(&want, nil)
	texts := []string{"", "plain", "two words", `a "quote"`, `back\slash`, "tab\t", "<html>&", "naïve", "\u2028", "bad\xff", "del\x7f", strings.Repeat("x", 10_000)}
	values := []slog.Value{
		slog.IntValue(0), slog.IntValue(-12), slog.Int64Value(math.MinInt64), slog.Uint64Value(math.MaxUint64), slog.BoolValue(true),
		slog.Float64Value(0), slog.Float64Value(math.Copysign(0, -1)), slog.Float64Value(1.25), slog.Float64Value(-3.5), slog.Float64Value(1e-7), slog.Float64Value(1e21), slog.Float64Value(123456789.001),
		slog.Float64Value(math.NaN()), slog.Float64Value(math.Inf(1)), slog.DurationValue(time.Second), slog.TimeValue(time.Unix(0, 0).UTC()),
		slog.AnyValue(errors.New("an error")), slog.AnyValue(nil), slog.AnyValue([]int{1}), slog.GroupValue(slog.Int("a", 1)),
	}
	for _, s := range texts {
		values = append(values, slog.StringValue(s))
	}
	at := time.Date(2026, 11, 25, 12, 30, 15, 123_400_000, time.FixedZone("", 3600))
	for _, when := range []time.Time{at, at.UTC().Truncate(time.Second), {}, time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for _, key := range texts {
			for _, v := range values {
				for _, level := range []slog.Level{slog.LevelInfo, slog.LevelError + 2} {
					r := slog.NewRecord(when, level, key, 0)
					r.AddAttrs(slog.Int("first", 1), slog.Attr{Key: key, Value: v}, slog.String("last", "x"))
					got.Reset()
					want.Reset()
					if err := log.Handler().Handle(t.Context(), r); err != nil {
						t.Fatal(err)
					}
					if err := std.Handle(t.Context(), r); err != nil {
						t.Fatal(err)
					}
					if got.String() != want.String() {
						t.Errorf("%v\n got %s\nwant %s", v, got.String(), want.String())
					}
				}
			}
		}
	}
}
