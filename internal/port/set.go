package port

import "sync"

// set is the open connections. Those without a request in progress are in the order in which they
// came to have none.
type set struct {
	most int           // 0: no bound
	room chan struct{} // signalled when one left or became idle

	mu    sync.Mutex // guards all below
	count int
	ended bool
	quiet conn // before the first of those without a request, and after the last: the longest first
}

// add takes c in when there is room for it, and reports false when stop is closed before.
func (s *set) add(c *conn, stop <-chan struct{}) bool {
	for {
		s.mu.Lock()
		switch {
		case s.ended:
			s.mu.Unlock()
			return false
		case s.most <= 0 || s.count < s.most:
			s.count++
			s.last(c)
			s.mu.Unlock()
			return true
		}
		s.mu.Unlock()
		if s.evict() {
			continue
		}
		select {
		case <-s.room:
		case <-stop:
			return false
		}
	}
}

// sorted notes that c is the server's from now on.
func (s *set) sorted(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.sorted = true
}

// end closes what is not the server's yet.
func (s *set) end() {
	s.mu.Lock()
	s.ended = true
	var early []*conn
	for c := s.quiet.next; c != nil && c != &s.quiet; c = c.next {
		if !c.sorted {
			early = append(early, c)
		}
	}
	s.mu.Unlock()
	for _, c := range early {
		_ = c.Close()
	}
}

// evict closes the connection that has been longest without a request.
func (s *set) evict() bool {
	s.mu.Lock()
	c := s.quiet.next
	s.mu.Unlock()
	if c == nil || c == &s.quiet {
		return false
	}
	_ = c.Close() // leaves the set
	return true
}

// busy notes that c has a request in progress.
func (s *set) busy(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.out()
}

// idle notes that c has none.
func (s *set) idle(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.next == nil && !c.left {
		s.last(c)
		s.signal()
	}
}

func (s *set) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.left {
		return
	}
	c.left = true
	s.count--
	c.out()
	s.signal()
}

// last puts c behind all that have no request; the caller holds mu.
func (s *set) last(c *conn) {
	if s.quiet.next == nil {
		s.quiet.next, s.quiet.before = &s.quiet, &s.quiet
	}
	c.before, c.next = s.quiet.before, &s.quiet
	c.before.next, c.next.before = c, c
}

// out takes c out of those without a request; the caller holds mu.
func (c *conn) out() {
	if c.next != nil {
		c.before.next, c.next.before = c.next, c.before
		c.before, c.next = nil, nil
	}
}

// signal wakes a wait; the caller holds mu.
func (s *set) signal() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}
