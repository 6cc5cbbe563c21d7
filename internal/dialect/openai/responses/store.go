package responses

import (
	"container/list"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect/openai/responses/output"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// StoreOptions bound a Store.
type StoreOptions struct {
	Entries    int           // responses
	Bytes      int64         // of all of them, with what they were asked and what came before
	Age        time.Duration // after its end, when a response is forgotten
	Background int           // responses that come about in the background at the same time, of which a caller has no more than are left
}

// Store keeps responses in memory, each for the caller that made it, and lets some come about in the background. The oldest make
// room for new ones, first of the caller who has most. It outlives the Handlers that use it and may be used concurrently.
type Store struct {
	o       StoreOptions
	mu      sync.Mutex
	byID    map[string]*entry
	byAge   *list.List // of *entry, the oldest first
	bytes   int64
	uses    map[string]*use // by caller
	running map[string]int  // in the background, by caller
	closed  bool
	alarm   *time.Timer // when the oldest is to be forgotten
	jobs    sync.WaitGroup
}

// use is what a caller has stored.
type use struct {
	entries int
	bytes   int64
}

// entry is a stored response. What changes while it comes about belongs to the store's mutex.
type entry struct {
	id, owner  string
	background bool
	streamed   bool
	before     [][]byte // the items that it went on from
	input      [][]byte // its own
	cancel     context.CancelFunc
	done       chan struct{} // closed when it has ended in the background

	since    time.Time // it is there, or has ended
	status   output.Status
	meta     llm.Meta
	body     []byte // the response as JSON
	output   [][]byte
	events   [][]byte      // numbered by position, where it is streamed
	more     chan struct{} // closed when there are more events
	told     int64         // bytes of the events
	held     int64         // bytes of the request, while it is answered
	said     int64         // bytes of the answer, until it is a body
	pending  int64         // bytes that were not weighed yet
	size     int64
	place    *list.Element // nil where it is forgotten
	canceled bool
}

// NewStore makes an empty store.
func NewStore(o StoreOptions) *Store {
	return &Store{o: o, byID: map[string]*entry{}, byAge: list.New(), uses: map[string]*use{}, running: map[string]int{}}
}

// Close ends what comes about in the background and waits for that until ctx ends. Everything is forgotten, and a closed store
// takes nothing more.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for _, e := range s.byID {
		s.forget(e)
	}
	s.ring()
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.jobs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for responses in the background: %w", ctx.Err())
	}
}

// keep stores a response that has ended, where it is to be stored and there is room for it.
func (s *Store) keep(e *entry, a *output.Answer) {
	if e == nil {
		return
	}
	e.note(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(e)
}

// note takes over what has come about.
func (e *entry) note(a *output.Answer) {
	e.body, e.status, e.meta = a.JSON(), a.Status(), a.Meta()
	if e.ended() {
		e.output, e.held, e.said = a.Items(), 0, 0
	}
}

// add stores a response and reports whether there was room for it.
func (s *Store) add(e *entry) bool {
	if s.closed {
		return false
	}
	e.since, e.place = time.Now(), s.byAge.PushBack(e)
	s.byID[e.id] = e
	s.count(e.owner, 1, 0)
	return s.weigh(e)
}

// weigh counts the bytes of an entry anew and reports whether there is room for it.
func (s *Store) weigh(e *entry) bool {
	if e.place == nil {
		return false
	}
	const overhead = 1 << 10
	now := overhead + e.held + e.said + e.told + int64(len(e.body)) + size(e.before) + size(e.input) + size(e.output)
	s.count(e.owner, 0, now-e.size)
	e.size = now
	s.makeRoom(e)
	s.ring()
	return e.place != nil
}

func size(pieces [][]byte) int64 {
	n := 0
	for _, p := range pieces {
		n += len(p)
	}
	return int64(n)
}

// makeRoom forgets what is too old, and for e the oldest that have ended of whoever has most; e itself where that is not enough.
func (s *Store) makeRoom(e *entry) {
	if e != nil && e.size > s.o.Bytes {
		s.forget(e)
	}
	for at := s.byAge.Front(); at != nil && s.old(entryAt(at)); {
		oldest := entryAt(at)
		at = at.Next()
		if oldest.ended() && oldest != e {
			s.forget(oldest)
		}
	}
	for e != nil && e.place != nil && s.full() {
		s.forget(s.spare(e))
	}
}

// spare is what makes room for e: so that nobody's responses leave for those of one who stores more.
func (s *Store) spare(e *entry) *entry {
	most := e.owner
	for owner, u := range s.uses {
		if m := s.uses[most]; s.bytes > s.o.Bytes && u.bytes > m.bytes || s.bytes <= s.o.Bytes && u.entries > m.entries {
			most = owner
		}
	}
	oldest := e
	for at := s.byAge.Front(); at != nil; at = at.Next() {
		switch old := entryAt(at); {
		case old == e || !old.ended():
		case old.owner == most:
			return old
		case oldest == e && most != e.owner:
			oldest = old
		}
	}
	return oldest
}

// count notes that a caller has more, or less.
func (s *Store) count(owner string, entries int, bytes int64) {
	s.bytes += bytes
	u := s.uses[owner]
	if u == nil {
		u = &use{}
		s.uses[owner] = u
	}
	u.entries, u.bytes = u.entries+entries, u.bytes+bytes
	if u.entries == 0 {
		delete(s.uses, owner)
	}
}

func entryAt(at *list.Element) *entry {
	return at.Value.(*entry) //nolint:forcetypeassert // nothing else is put there
}

func (s *Store) full() bool { return s.bytes > s.o.Bytes || len(s.byID) > s.o.Entries }

func (s *Store) old(e *entry) bool { return time.Since(e.since) >= s.o.Age }

func (e *entry) ended() bool { return e.status != output.Queued && e.status != output.InProgress }

// forget removes an entry and ends it where it still comes about.
func (s *Store) forget(e *entry) {
	if e.place == nil {
		return
	}
	s.byAge.Remove(e.place)
	e.place = nil
	delete(s.byID, e.id)
	s.count(e.owner, -1, -e.size)
	if e.cancel != nil {
		e.cancel()
	}
	e.tell()
}

// tell wakes those who wait for more.
func (e *entry) tell() {
	if e.more != nil {
		close(e.more)
	}
	e.more = make(chan struct{})
}

// ring sets the alarm for the oldest entry, so that nothing is kept longer than promised.
func (s *Store) ring() {
	if s.alarm != nil {
		s.alarm.Stop()
		s.alarm = nil
	}
	for at := s.byAge.Front(); at != nil; at = at.Next() {
		e := entryAt(at)
		if !e.ended() { // the alarm is set again when it has
			continue
		}
		s.alarm = time.AfterFunc(time.Until(e.since.Add(s.o.Age)), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.makeRoom(nil)
			s.ring()
		})
		return
	}
}

// find returns a response of this caller's.
func (s *Store) find(id string, caller llm.Caller) (*entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byID[id]
	if !ok || e.owner != caller.Name || e.ended() && s.old(e) {
		return nil, false
	}
	return e, true
}

// remove forgets a response.
func (s *Store) remove(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(e)
	s.ring()
}

// read returns the response as it is now.
func (s *Store) read(e *entry) (body []byte, status output.Status, meta llm.Meta) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.body, e.status, e.meta
}

// history lists the items that a response which goes on from e begins with.
func (s *Store) history(e *entry) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([][]byte, 0, len(e.before)+len(e.input)+len(e.output))
	return append(append(append(all, e.before...), e.input...), e.output...)
}

// item returns an item of a response of this caller's; its id has the response's in it.
func (s *Store) item(id string, caller llm.Caller) ([]byte, bool) {
	_, rest, _ := strings.Cut(id, "_")
	response, _, _ := strings.Cut(rest, "_")
	e, ok := s.find("resp_"+response, caller)
	if !ok {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, items := range [][][]byte{e.output, e.input} {
		for _, item := range items {
			if jsonx.Value(item).Get("id").Is(id) {
				return item, true
			}
		}
	}
	return nil, false
}
