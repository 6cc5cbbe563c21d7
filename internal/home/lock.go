package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Endpoint is the process that serves from a data folder.
type Endpoint struct {
	PID     int       `json:"pid"`
	URL     string    `json:"url"` // empty until it listens
	Started time.Time `json:"started"`
	Mock    bool      `json:"mock,omitempty"` // it serves mock models, beside which another may serve real ones
}

// HeldError says who holds the lock that was asked for.
type HeldError struct {
	Dir    string
	Holder Endpoint
}

// Error names the holder and the way out.
func (e *HeldError) Error() string {
	where := ""
	if e.Holder.URL != "" {
		where = " at " + e.Holder.URL
	}
	return fmt.Sprintf("lock data folder %s: process %d serves from it%s since %s; stop it, or set INGOT_HOME to another folder",
		e.Dir, e.Holder.PID, where, e.Holder.Started.Format(time.DateTime))
}

// Lock is the exclusive use of a data folder. The system releases it when the
// process ends, however it ends. Its methods may be called concurrently.
type Lock struct {
	mu   sync.Mutex // guards file and held
	file *os.File
	held Endpoint
}

// Lock takes the folder for this process, which listens or will listen at url
// (empty where that is not known yet). Where another process has the folder the
// error is a *HeldError.
func (h Home) Lock(url string) (*Lock, error) { return h.lock(realLock, Endpoint{URL: url}) }

// LockMock is Lock for an endpoint of mock models, which uses nothing of the folder but its keys:
// it excludes other mock endpoints only.
func (h Home) LockMock(url string) (*Lock, error) {
	return h.lock(mockLock, Endpoint{URL: url, Mock: true})
}

const realLock, mockLock = "lock", "lock-mock"

func (h Home) lock(name string, e Endpoint) (*Lock, error) {
	f, err := os.OpenFile(h.Path(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := lockSoon(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("lock data folder: %w", err)
		}
		return nil, &HeldError{h.dir, readEndpoint(f)}
	}
	e.PID, e.Started = os.Getpid(), time.Now().UTC().Truncate(time.Second)
	l := &Lock{file: f, held: e}
	if err := l.Listening(e.URL); err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

// lockSoon gives a moment to whoever only looks (Running) and to a holder
// whose process is just ending.
func lockSoon(f *os.File) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 20 {
		if err := tryLock(f); !errors.Is(err, errHeld) {
			return err
		}
		<-tick.C
	}
	return tryLock(f)
}

// Listening records where this process listens.
func (l *Lock) Listening(url string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.held
	held.URL = url
	data, err := json.Marshal(held)
	if err != nil {
		return fmt.Errorf("record endpoint: %w", err)
	}
	// One write of a fixed length, so that a reader never meets half of it.
	record := make([]byte, recordSize)
	for i := range record {
		record[i] = ' '
	}
	if copy(record, data) < len(data) {
		return fmt.Errorf("record endpoint: address %.40q… is too long", url)
	}
	record[recordSize-1] = '\n'
	if _, err := l.file.WriteAt(record, 0); err != nil {
		return fmt.Errorf("record endpoint: %w", err)
	}
	l.held = held
	return nil
}

// Release gives the folder back. The file stays: removing it would let two
// processes lock two files of one name.
func (l *Lock) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("release data folder: %w", err)
	}
	return nil
}

// Running tells who serves from the folder now, and an endpoint of mock models
// only where there is no other. Its URL is empty while that process is starting.
func (h Home) Running() (Endpoint, bool) {
	if e, held := h.running(realLock); held {
		return e, true
	}
	return h.running(mockLock)
}

func (h Home) running(name string) (Endpoint, bool) {
	f, err := os.OpenFile(h.Path(name), os.O_RDWR, 0)
	if err != nil {
		return Endpoint{}, false
	}
	defer f.Close() // releases the lock too, where the next line got it
	if err := tryShared(f); !errors.Is(err, errHeld) {
		return Endpoint{}, false
	}
	return readEndpoint(f), true
}

// errHeld is what tryLock and tryShared answer when another process has it.
var errHeld = errors.New("held by another process")

const recordSize = 1024

func readEndpoint(f *os.File) Endpoint {
	var e Endpoint
	data, err := io.ReadAll(io.NewSectionReader(f, 0, recordSize))
	if err != nil || json.Unmarshal(data, &e) != nil {
		return Endpoint{}
	}
	return e
}
