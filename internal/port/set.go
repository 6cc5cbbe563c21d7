package port

import (
	"container/list"
	"sync"
)

// set is the open connections. Those without a request in progress are in the order in which they
// came to have none.
type set struct {
	most int           // 0: no bound
	room chan struct{} // signalled when one left or became idle

	mu    sync.Mutex // guards all below
	count int
	ended bool
	quiet list.List // of *conn, the longest without a request first
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
			c.at = s.quiet.PushBack(c)
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
	for e := s.quiet.Front(); e != nil; e = e.Next() {
		if c, ok := e.Value.(*conn); ok && !c.sorted {
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
	front := s.quiet.Front()
	if front == nil {
		s.mu.Unlock()
		return false
	}
	c, _ := front.Value.(*conn)
	s.mu.Unlock()
	_ = c.Close() // leaves the set
	return true
}

// busy notes that c has a request in progress.
func (s *set) busy(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.at != nil {
		s.quiet.Remove(c.at)
		c.at = nil
	}
}

// idle notes that c has none.
func (s *set) idle(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.at == nil && !c.left {
		c.at = s.quiet.PushBack(c)
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
	if c.at != nil {
		s.quiet.Remove(c.at)
		c.at = nil
	}
	s.signal()
}

// signal wakes a wait; the caller holds mu.
func (s *set) signal() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}
