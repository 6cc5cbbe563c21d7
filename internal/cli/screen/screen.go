// Package screen is how verbs speak: data to standard output, everything else to standard error,
// progress as it goes, and mistakes in the command line with the nearest right word.
package screen

import (
	"bufio"
	"context"
	"io"
	"strings"

	"golang.org/x/term"
)

// Screen is where a verb reads and writes.
type Screen struct {
	In       io.Reader
	Out, Err io.Writer
}

// Terminal says whether a stream is a person's.
func Terminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// Confirm asks on a terminal. Elsewhere nobody can answer: that is a yes, unless certainty is needed.
func (s *Screen) Confirm(ctx context.Context, question string, certainty bool) (bool, error) {
	if !Terminal(s.In) {
		if certainty {
			return false, Misuse("nobody is here to be asked: say --yes")
		}
		return true, nil
	}
	_, _ = io.WriteString(s.Err, question+" [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(s.In, 1<<10)).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case word := <-answer:
		if word == "y" || word == "yes" {
			return true, nil
		}
		s.Say("Nothing was deleted.")
		return false, nil
	}
}
