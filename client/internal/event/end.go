package event

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// maxChoices is the most answers of one stream.
const maxChoices = 1024

// Choices remembers which of the answers in a stream have ended, and why. Its zero value is ready.
type Choices[R ~string] struct {
	reasons map[int]R // by index, empty while the answer goes on
}

// Note notes a fragment of an answer; reason is empty where it does not end.
func (c *Choices[R]) Note(index int, reason R) {
	if c.reasons == nil {
		c.reasons = map[int]R{}
	}
	if c.reasons[index] == "" && len(c.reasons) <= maxChoices {
		c.reasons[index] = reason
	}
}

// Err reports more answers than any service gives.
func (c *Choices[R]) Err() error {
	if len(c.reasons) > maxChoices {
		return fmt.Errorf("read stream: it has more than %d choices", maxChoices)
	}
	return nil
}

// Ended returns why answers ended, in the order of their indexes, and whether there are answers and all of them have.
func (c *Choices[R]) Ended() (reasons []R, all bool) {
	for _, index := range slices.Sorted(maps.Keys(c.reasons)) {
		if reason := c.reasons[index]; reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons, len(reasons) > 0 && len(reasons) == len(c.reasons)
}

// Drain reads what follows the end of a stream, so that the connection can be used again, but does not wait for it long: cancel
// ends the connection.
func Drain(body io.Reader, cancel context.CancelFunc) {
	defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
	io.Copy(io.Discard, io.LimitReader(body, 4<<10))
}
