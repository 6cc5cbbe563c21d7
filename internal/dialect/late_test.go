package dialect_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestARequestAfterALateOneIsNotCancelled(t *testing.T) {
	t.Parallel()
	o := &dialect.Options{Logger: slog.New(slog.DiscardHandler), MaxBody: 1 << 10}
	addr := start(t, o.Serve(func(w http.ResponseWriter, r *http.Request) error {
		if _, err := o.Body(w, r); err != nil {
			return err
		}
		if r.URL.Path == "/late" {
			return &llm.Error{Kind: llm.Late, Message: "too late"}
		}
		if err := r.Context().Err(); err != nil {
			return err
		}
		o.JSON(w, http.StatusOK, []byte("fine"))
		return nil
	}, func(w http.ResponseWriter, _ *http.Request, e *llm.Error) {
		o.JSON(w, http.StatusTeapot, []byte(e.Kind.String()))
	}))
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for _, c := range []struct{ path, want string }{{"/late", "late"}, {"/", "fine"}, {"/late", "late"}, {"/", "fine"}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+c.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(body) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.path, body, err, c.want)
		}
	}
}
