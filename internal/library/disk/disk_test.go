package disk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

func TestOneHolderOfALockAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	release, err := disk.Lock(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disk.TryLock(path); !errors.Is(err, disk.ErrLocked) {
		t.Fatalf("second lock: got %v", err)
	}
	waits := 0
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := disk.Lock(ctx, path, func() { waits++; cancel() }); !errors.Is(err, context.Canceled) || waits != 1 {
		t.Fatalf("cancelled wait: got %v after %d waits", err, waits)
	}
	again, err := disk.Lock(t.Context(), path, func() { release() })
	if err != nil {
		t.Fatalf("lock after release: %v", err)
	}
	release() // a second time does nothing to the new holder
	if _, err := disk.TryLock(path); !errors.Is(err, disk.ErrLocked) {
		t.Fatalf("while it is held again: got %v", err)
	}
	again()
	if _, err := os.Stat(path); err == nil {
		t.Error("the file of a lock that nobody holds is left")
	}
}

func TestManyTakeALockInTurn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	var holders atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				release, err := disk.TryLock(path)
				if errors.Is(err, disk.ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold it", n)
				}
				holders.Add(-1)
				release()
			}
		})
	}
	all.Wait()
}

func TestRoomKnowsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := disk.Room(dir, 1); err != nil {
		t.Errorf("one byte: %v", err)
	}
	err := disk.Room(dir, 1<<60)
	if _, ok := errors.AsType[*disk.FullError](err); !ok {
		t.Fatal("an exabyte fits")
	}
	if !strings.Contains(err.Error(), disk.Bytes(disk.Reserve)+" to spare") {
		t.Errorf("%v: what is kept free looks as if it were not", err)
	}
}

func TestAFileIsReplacedWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	for _, want := range []string{"one", "another"} {
		if err := disk.WriteFile(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if all, _ := os.ReadDir(filepath.Dir(path)); len(all) != 1 {
		t.Errorf("%d files left", len(all))
	}
}

func TestSizesReadWell(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 98362432: "98.4 MB", 2_390_000_000: "2.4 GB", 5e15: "5000.0 TB"} {
		if got := disk.Bytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
