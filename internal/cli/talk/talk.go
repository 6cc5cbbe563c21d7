// Package talk asks a model for answers and shows them as they come: one, or a conversation.
package talk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/internal/cli/screen"
)

// Talk is a conversation with one model. One goroutine uses it.
type Talk struct {
	*screen.Screen
	Client  *client.Client
	Models  *client.Client     // asked for deployments by name: the endpoint's /models, which refuses unknown ones
	Request client.ChatRequest // what every request asks for, the messages apart
	System  string             // system message; may be empty

	history []client.Message
}

// Ask streams the answer to one prompt to standard output.
func (c *Talk) Ask(ctx context.Context, prompt string) error {
	c.clear()
	c.history = append(c.history, client.User(prompt))
	_, err := c.answer(ctx)
	return err
}

// AskWhole returns the whole answer to one prompt.
func (c *Talk) AskWhole(ctx context.Context, prompt string) (*client.ChatReply, error) {
	c.clear()
	c.history = append(c.history, client.User(prompt))
	reply, err := c.Client.Chat(ctx, c.request())
	return reply, Explain(err)
}

// clear forgets the conversation, but not the system message.
func (c *Talk) clear() {
	c.history = nil
	if c.System != "" {
		c.history = []client.Message{client.System(c.System)}
	}
}

func (c *Talk) request() *client.ChatRequest {
	r := c.Request
	r.Messages = c.history
	return &r
}

// answer streams the next answer to standard output and returns it; an answer that was stopped
// comes with the error of ctx.
func (c *Talk) answer(ctx context.Context) (string, error) {
	var text strings.Builder
	terminal := screen.Terminal(c.Out)
	quiet := c.waiting()
	defer quiet()
	var finish client.FinishReason
	spent := 0
	for chunk, err := range c.Client.ChatStream(ctx, c.request()) {
		quiet()
		if err != nil {
			c.endLine(text.String())
			return text.String(), Explain(err)
		}
		if chunk.Usage != nil {
			spent = chunk.Usage.CompletionTokens
		}
		for _, choice := range chunk.Choices {
			if choice.FinishReason != "" {
				finish = choice.FinishReason
			}
		}
		text.WriteString(chunk.Text())
		shown := chunk.Text()
		if terminal {
			shown = screen.Plain(shown) // a model says anything
		}
		if _, err := io.WriteString(c.Out, shown); err != nil {
			return text.String(), err
		}
	}
	c.endLine(text.String())
	switch finish {
	case client.FinishLength:
		c.Say("%s", c.cut(spent))
	case client.FinishContentFilter:
		c.Say("(The answer was ended by a content filter.)")
	case client.FinishStop, client.FinishToolCalls:
	}
	return text.String(), nil
}

// cut says why an answer of so many tokens (0: not known) ended before the model was done.
func (c *Talk) cut(spent int) string {
	if limit := c.Request.MaxTokens; limit != nil && (spent == 0 || spent >= *limit) {
		return fmt.Sprintf("(cut after %d tokens; --max-tokens N allows more)", *limit)
	}
	return "(cut: the model's context is full)"
}

func (c *Talk) endLine(text string) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		c.Print("")
	}
}

// waiting says on a terminal that an answer takes its time, until quiet is called.
func (c *Talk) waiting() (quiet func()) {
	if !screen.Terminal(c.Err) {
		return func() {}
	}
	const patience = time.Second
	began := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(patience)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = fmt.Fprintf(c.Err, "\rwaiting for the model: %d s ", int(time.Since(began).Seconds()))
			case <-stop:
				if time.Since(began) > patience {
					_, _ = io.WriteString(c.Err, "\r\x1b[K")
				}
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
}

// Explain adds what to do about an answer that did not come.
func Explain(err error) error {
	if errors.As(err, new(*net.OpError)) {
		return fmt.Errorf("%w; is an endpoint running there? `ingot serve` starts one", err)
	}
	if e, ok := errors.AsType[*client.Error](err); ok && e.Status == http.StatusUnauthorized {
		return fmt.Errorf("%w; set INGOT_KEY to a key of that endpoint (`ingot keys create NAME` makes one)", err)
	}
	return err
}
