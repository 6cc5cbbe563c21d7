package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/cli/talk"
)

type chatFlags struct {
	endpoint, system string
	maxTokens        int
	temperature      float64
	asJSON           bool
}

const usualTokens = 1024 // of an answer: a small model that repeats itself ends some time

// chat is one use of the verb.
type chat struct {
	*app
	chatFlags
	talk talk.Talk
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

MODEL is a deployment of the endpoint; without it the endpoint's default answers. A word that stands
alone and is no deployment is the PROMPT; where more follow, the first must be a deployment.`,
		Example: "  ingot chat 'Why is the sky blue?'\n  ingot chat smollm2\n  git diff | ingot chat 'Write a commit message for this:'\n" +
			"  ingot chat --json --temperature 0 'Say hello.' | jq -r '.choices[0].message.content'",
		Args: screen.Arguments(0, -1, ""),

		ValidArgsFunction: screen.Complete(1, func(ctx context.Context) []string {
			return (&chat{app: a, chatFlags: f}).names(ctx)
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := &chat{app: a, chatFlags: f, talk: talk.Talk{Screen: a.Screen, System: f.system}}
			if f.maxTokens < 0 {
				return screen.Misuse("--max-tokens %d: write a number of tokens, or 0 for no limit", f.maxTokens)
			}
			if f.maxTokens > 0 {
				c.talk.Request.MaxTokens = &f.maxTokens
			}
			if cmd.Flags().Changed("temperature") {
				c.talk.Request.Temperature = &f.temperature
			}
			return c.run(cmd.Context(), args)
		},
	}
	cmd.Flags().StringVarP(&f.endpoint, "endpoint", "e", "", "address of the endpoint, such as http://127.0.0.1:8080")
	cmd.Flags().StringVarP(&f.system, "system", "s", "", "system message")
	cmd.Flags().IntVar(&f.maxTokens, "max-tokens", usualTokens, "most tokens of an answer; 0 is no limit")
	cmd.Flags().Float64Var(&f.temperature, "temperature", 0, "0 is the likeliest answer, 1 and more a livelier one")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "write the whole answer as JSON, for programs")
	return cmd
}

var errNothing = screen.Misuse("there is nothing to ask: give a PROMPT, or pipe one in")

func (c *chat) run(ctx context.Context, args []string) error {
	piped, err := c.piped()
	if err != nil {
		return err
	}
	mute := piped == "" && !screen.Terminal(c.In)
	if mute && strings.TrimSpace(strings.Join(args, "")) == "" {
		return errNothing
	}
	leave, args, err := c.connect(ctx, args)
	if err != nil {
		return err
	}
	defer leave()
	prompt := strings.TrimSpace(strings.Join(args, " "))
	switch {
	case prompt == "" && piped == "" && c.asJSON:
		return screen.Misuse("--json is for one answer: give a PROMPT, or pipe one in")
	case prompt == "" && mute:
		return errNothing
	case prompt == "" && piped == "":
		return c.talk.Converse(ctx)
	case prompt != "" && piped != "":
		prompt += "\n\n"
	}
	if !c.asJSON {
		return c.talk.Ask(ctx, prompt+piped)
	}
	reply, err := c.talk.AskWhole(ctx, prompt+piped)
	if err != nil {
		return err
	}
	return c.JSON(reply)
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
