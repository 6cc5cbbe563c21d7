package fresh_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/client/internal/fresh"
)

func TestAValueIsKeptAndAskedForBeforeItExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		var fail error
		k := fresh.NewKeeper(func(context.Context) (fresh.Value, error) {
			asked++
			if fail != nil {
				return fresh.Value{}, fail
			}
			return fresh.Value{Text: string(rune('a' + asked - 1)), Expires: time.Now().Add(time.Hour), Refresh: time.Now().Add(50 * time.Minute)}, nil
		})
		get := func(want string, wantAsked int) {
			t.Helper()
			if got, err := k.Get(t.Context()); got != want || err != nil && want != "" || asked != wantAsked {
				t.Errorf("got %q, %v, asked %d times; want %q, asked %d times", got, err, asked, want, wantAsked)
			}
		}
		get("a", 1)
		time.Sleep(49 * time.Minute)
		get("a", 1)
		time.Sleep(2 * time.Minute)
		get("b", 2)
		fail = errors.New("no")
		time.Sleep(51 * time.Minute)
		get("b", 3) // it could not be refreshed and still holds
		get("b", 3)
		time.Sleep(31 * time.Second)
		get("b", 4)
		time.Sleep(time.Hour)
		get("", 5)
		fail = nil
		get("f", 6)
	})
}

func TestOneAsksAndTheOthersWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		k := fresh.NewKeeper(func(ctx context.Context) (fresh.Value, error) {
			asked++
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return fresh.Value{}, ctx.Err()
			}
			return fresh.Value{Text: "a", Expires: time.Now().Add(time.Hour)}, nil
		})
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if got, err := k.Get(t.Context()); got != "a" || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		if _, err := k.Get(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		wait.Wait()
		if asked > 20 { // without Refresh each that comes later may ask again
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestATokenThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]fresh.Value{
		"empty":   {Expires: time.Now().Add(time.Hour)},
		"expired": {Text: "a", Expires: time.Now().Add(-time.Hour)},
		"no time": {Text: "a"},
	} {
		k := fresh.NewKeeper(func(context.Context) (fresh.Value, error) { return v, nil })
		if got, err := k.Get(t.Context()); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
