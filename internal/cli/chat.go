package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/client"
)

type chatFlags struct {
	endpoint, system string
	maxTokens        int
	temperature      float64
	asJSON           bool
}

// chat is one use of the verb: where it speaks to, and what is said so far.
type chat struct {
	*app
	chatFlags
	*client.Client
	model   string // deployment; empty: the endpoint's default
	options *client.ChatRequest
	history []client.Message
}

func (a *app) chatVerb() *cobra.Command {
	var f chatFlags
	cmd := &cobra.Command{
		Use:   "chat [MODEL] [PROMPT]",
		Short: "Ask a model: one answer, or a conversation",
		Long: `Ask a model and stream its answer to standard output. With a PROMPT, with something piped in, or with
both (the pipe follows the prompt) it is one answer; without either it is a conversation in the
terminal, in which /help lists what else can be said.

The endpoint is --endpoint, else INGOT_ENDPOINT, else the one that runs with this data folder. Where
none runs, the model is started for this chat alone; it and the engine are fetched if need be. The key
is INGOT_KEY, else the development key, which is sent to this machine only.

MODEL is a deployment of the endpoint; without it the endpoint's default answers. A first word that
is no deployment is the PROMPT.`,
		Example: "  ingot chat 'Why is the sky blue?'\n  ingot chat smollm2\n  git diff | ingot chat 'Write a commit message for this:'\n" +
			"  ingot chat --json --temperature 0 'Say hello.' | jq -r '.choices[0].message.content'",
		Args: arguments(0, -1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := &chat{app: a, chatFlags: f, options: &client.ChatRequest{}}
			if cmd.Flags().Changed("max-tokens") {
				c.options.MaxTokens = &f.maxTokens
			}
			if cmd.Flags().Changed("temperature") {
				c.options.Temperature = &f.temperature
			}
			return c.run(cmd.Context(), args)
		},
	}
	cmd.Flags().StringVarP(&f.endpoint, "endpoint", "e", "", "address of the endpoint, such as http://127.0.0.1:8080")
	cmd.Flags().StringVarP(&f.system, "system", "s", "", "system message")
	cmd.Flags().IntVar(&f.maxTokens, "max-tokens", 0, "most tokens of an answer")
	cmd.Flags().Float64Var(&f.temperature, "temperature", 0, "0 is the likeliest answer, 1 and more a livelier one")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "write the whole answer as JSON, for programs")
	return cmd
}

func (c *chat) run(ctx context.Context, args []string) error {
	piped, err := c.piped()
	if err != nil {
		return err
	}
	if len(args) == 0 && piped == "" && !terminal(c.In) {
		return misuse("there is nothing to ask: give a PROMPT, or pipe one in")
	}
	leave, args, err := c.connect(ctx, args)
	if err != nil {
		return err
	}
	defer leave()
	c.clear()
	prompt := strings.Join(args, " ")
	switch {
	case prompt == "" && piped == "" && c.asJSON:
		return misuse("--json is for one answer: give a PROMPT, or pipe one in")
	case prompt == "" && piped == "":
		return c.converse(ctx)
	case prompt != "" && piped != "":
		prompt += "\n\n"
	}
	c.history = append(c.history, client.User(client.Text(prompt+piped)))
	if c.asJSON {
		reply, err := c.Chat(ctx, c.request())
		if err != nil {
			return c.explain(err)
		}
		return c.json(reply)
	}
	_, err = c.answer(ctx)
	return err
}

// piped reads what is piped in, "" where nothing is. A stream that is neither a pipe nor a file,
// such as a terminal, says nothing by itself.
func (c *chat) piped() (string, error) {
	if f, ok := c.In.(*os.File); ok {
		fi, err := f.Stat()
		if err != nil || fi.Mode()&os.ModeCharDevice != 0 {
			return "", nil //nolint:nilerr // a closed standard input holds nothing
		}
	}
	const most = 16 << 20
	data, err := io.ReadAll(io.LimitReader(c.In, most+1))
	if err != nil {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	if len(data) > most {
		return "", fmt.Errorf("read standard input: it is longer than %d MiB, and no model takes that much", most>>20)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// clear forgets the conversation, but not the system message.
func (c *chat) clear() {
	c.history = nil
	if c.system != "" {
		c.history = []client.Message{client.System(c.system)}
	}
}

func (c *chat) request() *client.ChatRequest {
	r := *c.options
	r.Model, r.Messages = c.model, c.history
	return &r
}

// answer streams the next answer to standard output and returns it; an answer that was stopped
// comes with the error of ctx.
func (c *chat) answer(ctx context.Context) (string, error) {
	var text strings.Builder
	quiet := c.waiting()
	defer quiet()
	var finish client.FinishReason
	for chunk, err := range c.ChatStream(ctx, c.request()) {
		quiet()
		if err != nil {
			c.endLine(text.String())
			return text.String(), c.explain(err)
		}
		for _, choice := range chunk.Choices {
			if choice.FinishReason != "" {
				finish = choice.FinishReason
			}
		}
		text.WriteString(chunk.Text())
		if _, err := io.WriteString(c.Out, chunk.Text()); err != nil {
			return text.String(), err
		}
	}
	c.endLine(text.String())
	switch finish {
	case client.FinishLength:
		c.say("(The answer ends here because it reached its limit of tokens: --max-tokens, or the model's context.)")
	case client.FinishContentFilter:
		c.say("(The answer was ended by a content filter.)")
	case client.FinishStop, client.FinishToolCalls:
	}
	return text.String(), nil
}

func (c *chat) endLine(text string) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		c.print("")
	}
}

// waiting says on a terminal that an answer takes its time, until quiet is called.
func (c *chat) waiting() (quiet func()) {
	if !terminal(c.Err) {
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

// explain adds what to do about an answer that did not come.
func (c *chat) explain(err error) error {
	if errors.As(err, new(*net.OpError)) {
		return fmt.Errorf("%w; is an endpoint running there? `ingot serve` starts one", err)
	}
	if e, ok := errors.AsType[*client.Error](err); ok && e.Status == http.StatusUnauthorized {
		return fmt.Errorf("%w; set INGOT_KEY to a key of that endpoint (`ingot keys create NAME` makes one)", err)
	}
	return err
}
