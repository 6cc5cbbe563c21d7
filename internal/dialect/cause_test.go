package dialect_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestWhyATokenWasRefusedIsForTheLogOnly(t *testing.T) {
	t.Parallel()
	var log, answer bytes.Buffer
	o := dialect.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	h := o.Serve(func(http.ResponseWriter, *http.Request) error {
		return &llm.Error{Kind: llm.Unauthenticated, Code: llm.CodeInvalidToken, Message: "No.", Err: errors.New("it has expired")}
	}, func(_ http.ResponseWriter, _ *http.Request, e *llm.Error) {
		answer.WriteString(dialect.Challenge(e) + " " + e.Message)
	})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/info", nil))
	if got := answer.String(); got != `Bearer error="invalid_token" No.` {
		t.Errorf("answered %q", got)
	}
	if !strings.Contains(log.String(), `cause="it has expired"`) {
		t.Errorf("logged %q", log.String())
	}
}
