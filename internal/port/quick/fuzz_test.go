package quick_test

import (
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzConnection sends the same bytes to net/http and to a Server, which get at most so many of them at once: handlers see the
// same requests, and clients the same answers.
func FuzzConnection(f *testing.F) {
	for _, text := range requests {
		if len(text) < 5000 {
			f.Add(text, byte(0))
		}
	}
	f.Add(post("/a", "one", "X-A: b")+"\r\n"+post("/a", "twelve bytes", "X-A: b")+get("/b"), byte(7))
	f.Fuzz(func(t *testing.T, text string, most byte) {
		over := func(ln net.Listener) net.Listener { return ln }
		if most > 0 {
			over = func(ln net.Listener) net.Listener { return narrow{ln, int(most), 1 << 30} }
		}
		var got [2]exchange
		for i, e := range both(t, 0, echo, over) {
			got[i] = e.exchange(t, text)
			e.close()
		}
		if diff := cmp.Diff(got[0], got[1], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%.300q: net/http (-) and this (+):\n%s", text, diff)
		}
	})
}
