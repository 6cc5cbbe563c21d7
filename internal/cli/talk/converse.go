package talk

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"unicode"

	"github.com/ingot-llm/ingot/client"
)

const chatHelp = `/clear   forget what was said, but not the system message
/model   list the deployments; /model NAME lets another one answer
/help    this list
/exit    end; so does Ctrl-D
Ctrl-C   stop the answer
A line that ends in \ goes on in the next one.`

// Converse talks until the input ends. Ctrl-C stops the answer being given.
func (c *Talk) Converse(ctx context.Context) error {
	name := c.Request.Model
	if name == "" {
		name = "the default model"
	}
	c.Say("Chatting with %s. /help lists what else you can say; Ctrl-D ends.", name)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx = context.WithoutCancel(ctx) // it ends with the first Ctrl-C
	lines := make(chan string)
	go c.read(lines)
	c.clear()
	for {
		_, _ = io.WriteString(c.Err, "> ")
		select {
		case s := <-signals:
			c.Say("")
			if s != os.Interrupt {
				return nil
			}
			c.Say("(Ctrl-D ends.)")
		case line, more := <-lines:
			line = strings.TrimSpace(line)
			switch {
			case !more:
				c.Say("")
				return nil
			case line == "":
			case line == "/exit" || line == "/quit" || line == "/bye":
				return nil
			case line == "/help" || line == "/?":
				c.Say("%s", chatHelp)
			case line == "/clear":
				c.clear()
				c.Say("(Forgotten.)")
			case line == "/model" || strings.HasPrefix(line, "/model "):
				c.change(ctx, strings.TrimSpace(strings.TrimPrefix(line, "/model")))
			case strings.HasPrefix(line, "/") && !strings.ContainsAny(line, " \n") && strings.Count(line, "/") == 1:
				c.Say("(%s is no command: /help lists them.)", line)
			default:
				if end := c.turn(ctx, line, signals); end {
					return nil
				}
			}
		}
	}
}

// turn asks and answers once; end says that the program was told to end.
func (c *Talk) turn(ctx context.Context, line string, signals <-chan os.Signal) (end bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	before := len(c.history)
	c.history = append(c.history, client.User(line))
	go func() {
		text, err := c.answer(ctx)
		done <- result{text, err}
	}()
	for {
		select {
		case s := <-signals:
			cancel()
			end = s != os.Interrupt
		case r := <-done:
			stopped := errors.Is(r.err, context.Canceled)
			switch {
			case stopped:
				c.Say("(Stopped.)")
			case r.err != nil:
				c.Say("ingot: %v", r.err)
			}
			if r.text == "" || r.err != nil && !stopped {
				c.history = c.history[:before] // as if it had not been asked
			} else {
				c.history = append(c.history, client.Assistant(r.text))
			}
			return end
		}
	}
}

// escape is what a terminal sends for an arrow or another key without a letter.
var escape = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?`)

// typed is a line without the keys that are no text.
func typed(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return -1
		}
		return r
	}, escape.ReplaceAllString(line, ""))
}

// read sends the lines of standard input, joined where one ends in a backslash, until it ends.
func (c *Talk) read(lines chan<- string) {
	defer close(lines)
	const longest = 1 << 20
	in := bufio.NewScanner(c.In)
	in.Buffer(nil, longest)
	var held strings.Builder
	for in.Scan() {
		line := typed(in.Text())
		if text, more := strings.CutSuffix(line, `\`); more {
			held.WriteString(text + "\n")
			continue
		}
		lines <- held.String() + line
		held.Reset()
	}
}
