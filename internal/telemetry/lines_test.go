package telemetry_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-llm/ingot/internal/telemetry"
)

// slow is a terminal that takes nothing until it is told to go on.
type slow struct {
	goOn   chan struct{}
	began  chan struct{}
	writes int
	text   strings.Builder
}

func (s *slow) Write(p []byte) (int, error) {
	if s.writes++; s.writes == 1 {
		close(s.began)
		<-s.goOn
	}
	return s.text.Write(p)
}

func TestLinesAreWrittenWholeInFewWrites(t *testing.T) {
	s := &slow{goOn: make(chan struct{}), began: make(chan struct{})}
	close(s.goOn)
	l := telemetry.NewLines(s)
	const n = 50
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { _, _ = fmt.Fprintf(l, "line %d\n", i) })
	}
	all.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if strings.Count(s.text.String(), fmt.Sprintf("line %d\n", i)) != 1 {
			t.Errorf("line %d is not there once", i)
		}
	}
	if s.writes > 5 {
		t.Errorf("%d writes for %d lines at once", s.writes, n)
	}
}

func TestWhoeverLogsDoesNotWaitAndWhatIsDroppedIsCounted(t *testing.T) {
	s := &slow{goOn: make(chan struct{}), began: make(chan struct{})}
	l := telemetry.NewLines(s)
	lost := make(chan int, 1)
	l.Lost = func(n int) { lost <- n }
	_, _ = l.Write([]byte("first\n"))
	<-s.began
	long := strings.Repeat("x", 1<<18-1) + "\n"
	const n = 10
	for range n { // four of them fit
		_, _ = l.Write([]byte(long))
	}
	close(s.goOn)
	if got := <-lost; got != n-4 {
		t.Errorf("%d lines were lost, want %d", got, n-4)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.text.String(); got != "first\n"+strings.Repeat(long, 4) {
		t.Errorf("wrote %d bytes", len(got))
	}
}
