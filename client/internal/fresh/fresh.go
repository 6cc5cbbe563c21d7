// Package fresh keeps something that has to be asked for anew from time to time, such as a token.
package fresh

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Value is what is kept until Expires. From Refresh on another one is asked for.
type Value struct {
	Text             string
	Expires, Refresh time.Time
}

// Keeper asks for a value when it is needed: one caller asks, the others wait for it, or take the old one while that holds.
// It is safe for concurrent use.
type Keeper struct {
	ask  func(context.Context) (Value, error)
	turn chan struct{} // holds one: who has taken it may ask

	mu    sync.Mutex
	value Value
	pause time.Time // until then nobody asks while the old value holds
}

// NewKeeper returns a Keeper of what ask returns.
func NewKeeper(ask func(context.Context) (Value, error)) *Keeper {
	k := &Keeper{ask: ask, turn: make(chan struct{}, 1)}
	k.turn <- struct{}{}
	return k
}

// Get returns the value, asking for it where needed. An old one that still holds is better than an error.
func (k *Keeper) Get(ctx context.Context) (string, error) {
	text, stale := k.have()
	if text != "" && !stale {
		return text, nil
	}
	select {
	case <-k.turn:
	default:
		if text != "" {
			return text, nil
		}
		select {
		case <-k.turn:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	defer func() { k.turn <- struct{}{} }()
	if text, stale = k.have(); text != "" && !stale {
		return text, nil // somebody else has asked meanwhile
	}
	value, err := k.ask(ctx)
	if err == nil && (value.Text == "" || !time.Now().Before(value.Expires)) {
		err = errors.New("the source gave no token, or one that has expired already")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if !time.Now().Before(k.value.Expires) {
			return "", err
		}
		const pause = 30 * time.Second
		k.pause = time.Now().Add(pause)
		return k.value.Text, nil
	}
	k.value, k.pause = value, time.Time{}
	return value.Text, nil
}

// have returns the value while it holds; stale says that another one should be asked for.
func (k *Keeper) have() (text string, stale bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if !now.Before(k.value.Expires) {
		return "", true
	}
	return k.value.Text, !now.Before(k.value.Refresh) && !now.Before(k.pause)
}
