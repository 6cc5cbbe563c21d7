package mock_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
	"github.com/ingot-llm/ingot/internal/picture"
)

// silent is a web that never answers.
type silent struct{}

func (silent) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestWhoeverCannotFetchAnImageInTimeIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := mock.New(mock.Options{Pictures: picture.New(picture.Options{HTTP: silent{}, Limits: picture.Limits{Time: 3 * time.Second}})})
		r := say("x")
		r.Messages[0].Parts = []llm.Part{shown("https://example.com/a.png", "body", "messages", 0, "content", 0)}
		kinds := make(chan llm.Kind, 40)
		for range cap(kinds) {
			go func() {
				_, err := m.Chat(t.Context(), r).Collect()
				e := llm.AsError(err)
				if e.Kind == llm.Unavailable && e.RetryAfter <= 0 {
					t.Errorf("no Retry-After: %v", err)
				}
				kinds <- e.Kind
			}()
		}
		got := map[llm.Kind]int{}
		for range cap(kinds) {
			got[<-kinds]++
		}
		if got[llm.Unavailable] == 0 || got[llm.Unavailable]+got[llm.Invalid] != cap(kinds) {
			t.Errorf("got %v", got)
		}
	})
}
