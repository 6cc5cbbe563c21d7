package dialect_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect"
)

// upload is a connection over which a body arrives at a steady pace; it knows how the server listens.
type upload struct {
	*httptest.ResponseRecorder
	pace     int // bytes each tenth of a second
	waiting  int // of them, not read yet
	left     int
	stops    time.Time // nothing more comes from then on; zero is never
	deadline time.Time
}

func (u *upload) Close() error { return nil }

func (u *upload) SetReadDeadline(at time.Time) error {
	u.deadline = at
	return nil
}

func (u *upload) Read(p []byte) (int, error) {
	if u.left == 0 {
		return 0, io.EOF
	}
	next := time.Now()
	if u.waiting == 0 {
		next = next.Add(100 * time.Millisecond)
	}
	if !u.stops.IsZero() && next.After(u.stops) || next.After(u.deadline) {
		time.Sleep(time.Until(u.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	if u.waiting == 0 {
		time.Sleep(time.Until(next))
		u.waiting = u.pace
	}
	n := min(u.waiting, u.left, len(p))
	u.waiting -= n
	u.left -= n
	return n, nil
}

func TestARefusalLingersAsLongAsItsPeerMakesProgress(t *testing.T) {
	t.Parallel()
	const endless = 1 << 40
	for _, c := range []struct {
		name        string
		pace, size  int
		stops       time.Duration
		least, most time.Duration
		toItsEnd    bool
	}{
		{name: "a busy machine's upload is heard to its end", pace: 200 << 10, size: 50 << 20, least: 25 * time.Second, most: 26 * time.Second, toItsEnd: true},
		{name: "an endless one is not", pace: 200 << 10, size: endless, least: 29 * time.Second, most: 31 * time.Second},
		{name: "a slow one is given up", pace: 10 << 10, size: 50 << 20, least: 5 * time.Second, most: 6 * time.Second},
		{name: "one that stops is given up", pace: 200 << 10, size: 50 << 20, stops: 8 * time.Second, least: 8 * time.Second, most: 9200 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var held dialect.Budget
				h := reader(&dialect.Options{MaxBody: 1 << 20, BodyTimeout: time.Minute, BodyMemory: 64 << 20, Budget: &held})
				began := time.Now()
				u := &upload{ResponseRecorder: httptest.NewRecorder(), pace: c.pace, left: c.size}
				if c.stops > 0 {
					u.stops = began.Add(c.stops)
				}
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", u)
				r.ContentLength = int64(c.size)
				if c.size == endless { // it is read before it is refused
					r.ContentLength = -1
					time.AfterFunc(4*time.Second, func() {
						if n := held.Used(); n != 0 {
							t.Errorf("%d bytes are held for a refused body", n)
						}
					})
				}
				h.ServeHTTP(u, r)
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("it took %s, not %s to %s", took, c.least, c.most)
				}
				if (u.left == 0) != c.toItsEnd {
					t.Errorf("%d bytes are left", u.left)
				}
			})
		})
	}
}
