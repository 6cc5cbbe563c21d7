package responses

import (
	"context"
	"time"
)

// StoreOptions bound a Store.
type StoreOptions struct {
	Entries    int           // responses
	Bytes      int64         // of all of them, with what they were asked and what came before
	Age        time.Duration // after which a response is forgotten
	Background int           // that run at the same time
}

// Store keeps responses in memory, each for the caller that made it, and runs those in the background. It outlives the
// Handlers that use it and may be used concurrently.
type Store struct{ o StoreOptions }

// NewStore makes an empty store.
func NewStore(o StoreOptions) *Store { return &Store{o} }

// Close ends what runs in the background and waits for it until ctx ends. A closed store stores nothing.
func (s *Store) Close(ctx context.Context) error { return nil }
