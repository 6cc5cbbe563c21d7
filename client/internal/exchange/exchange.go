// Package exchange makes one HTTP exchange: a request, and a response that is either 200 and open or read to its end.
package exchange

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"time"
)

// maxRefusal is the most bytes that are read of a response that is no success.
const maxRefusal = 1 << 20

// patience is how long such a response may take to arrive: its status has said what counts.
const patience = 3 * time.Second

// Do sends a request. Where the status is not 200 the refusal is its body, as much of it as arrived, and the response is closed.
// Errors name the host and nothing else of the address, since its query may hold secrets.
func Do(c *http.Client, req *http.Request) (resp *http.Response, refusal []byte, err error) {
	resp, err = c.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, nil, fmt.Errorf("call %s: %w", req.URL.Host, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp, nil, nil
	case http.StatusSwitchingProtocols: // what follows it no context ends
		_ = resp.Body.Close()
		return nil, nil, fmt.Errorf("call %s: the server switched protocols unasked", req.URL.Host)
	default:
		defer resp.Body.Close()
		defer time.AfterFunc(patience, func() { _ = resp.Body.Close() }).Stop()
		// Whatever part of the body arrives is better than none.
		refusal, _ = io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
		return resp, refusal, nil
	}
}

// ReadAll reads a body of at most limit bytes.
func ReadAll(body io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, min(limit, math.MaxInt64-1)+1))
	if err != nil {
		return nil, fmt.Errorf("read reply: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read reply: longer than %d bytes; raise Options.MaxReply", limit)
	}
	return data, nil
}

// ID makes a random GUID.
func ID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
