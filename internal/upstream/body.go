package upstream

import (
	"io"
	"net/http"

	"github.com/ingot-llm/ingot/internal/upstream/h1"
)

// body is a request's body in pieces, which are never joined.
type body struct {
	pieces [][]byte
	next   int // of them, not read to its end
	at     int // how much of it has been
}

var _ h1.Body = (*body)(nil)

// again is http.Request.GetBody.
func (b *body) again() (io.ReadCloser, error) { return &body{pieces: b.pieces}, nil }

// Read reads on.
func (b *body) Read(p []byte) (int, error) {
	for b.next < len(b.pieces) {
		piece := b.pieces[b.next]
		n := copy(p, piece[b.at:])
		if b.at += n; b.at == len(piece) {
			b.next, b.at = b.next+1, 0
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

// Close does nothing.
func (b *body) Close() error { return nil }

// Pieces returns all of them.
func (b *body) Pieces() [][]byte { return b.pieces }

// Direct is a Doer that sends requests as they are: it keeps no cookies and follows no redirects.
type Direct struct{ http.RoundTripper }

// Do sends a request.
func (d Direct) Do(r *http.Request) (*http.Response, error) {
	return d.RoundTrip(r) //nolint:wrapcheck // Client classifies it
}
