package telemetry_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/telemetry"
)

func TestNoSecretIsLoggedUnderItsName(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			log, err := telemetry.NewLogger(&out, slog.LevelInfo, format)
			if err != nil {
				t.Fatal(err)
			}
			header := http.CanonicalHeaderKey("api-key")
			log.With(slog.String("token", "s3cret")).LogAttrs(t.Context(), slog.LevelInfo, "hello",
				slog.String("authorization", "s3cret"), slog.String(header, "s3cret"), slog.Any("password", []string{"s3cret"}),
				slog.Any("header", http.Header{"X-Any": {"s3cret"}}), slog.Group("secret", slog.String("value", "s3cret")),
				slog.Group("request", slog.String("cookie", "s3cret")), slog.Int("input_tokens", 1234))
			if s := out.String(); strings.Contains(s, "s3cret") || !strings.Contains(s, "1234") || strings.Count(s, "\n") != 1 {
				t.Errorf("logged %s", s)
			}
		})
	}
}

func TestTheLevelMayChange(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	var level slog.LevelVar
	log, err := telemetry.NewLogger(&out, &level, "text")
	if err != nil {
		t.Fatal(err)
	}
	log.DebugContext(t.Context(), "one")
	level.Set(slog.LevelDebug)
	log.DebugContext(t.Context(), "two")
	if s := out.String(); strings.Contains(s, "one") || !strings.Contains(s, "two") {
		t.Errorf("logged %s", s)
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := telemetry.NewLogger(t.Output(), slog.LevelInfo, "xml"); err == nil {
		t.Error("want an error")
	}
}
