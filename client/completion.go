package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/ingot-llm/ingot/client/internal/object"
)

// CompletionRequest asks for texts to be continued. Fields left at zero are not sent, so that the model's own defaults hold.
type CompletionRequest struct {
	Model            string   `json:"model,omitempty"` // the deployment; may be left out where the endpoint has one
	Prompt           []string `json:"-"`               // one or several texts, each continued by itself
	Tokens           [][]int  `json:"-"`               // in place of Prompt: texts as the model's tokens
	MaxTokens        *int     `json:"max_tokens,omitempty"`
	Temperature      *float64 `json:"temperature,omitempty"`
	TopP             *float64 `json:"top_p,omitempty"`
	FrequencyPenalty *float64 `json:"frequency_penalty,omitempty"`
	PresencePenalty  *float64 `json:"presence_penalty,omitempty"`
	Seed             *int64   `json:"seed,omitempty"`
	Stop             []string `json:"stop,omitempty"`

	Extra  map[string]any `json:"-"` // members that are not part of the contract, such as logprobs
	Header http.Header    `json:"-"` // added to this call
}

// Completion is a whole answer, or a fragment of a streamed one, which holds only what is new.
type Completion struct {
	ID      string             `json:"id"`
	Object  string             `json:"object"`
	Created Timestamp          `json:"created"`
	Model   string             `json:"model"`
	Choices []CompletionChoice `json:"choices"` // Index counts through the prompts
	Usage   *Usage             `json:"usage"`

	Extra Extra `json:"-"`
	Meta  `json:"-"`
}

// CompletionChoice is the continuation of a prompt.
type CompletionChoice struct {
	Index        int          `json:"index"`
	Text         string       `json:"text"`
	FinishReason FinishReason `json:"finish_reason"`
	Extra        Extra        `json:"-"`
}

// Text returns the first continuation, or what a fragment adds to it.
func (c *Completion) Text() string {
	for i := range c.Choices {
		if c.Choices[i].Index == 0 {
			return c.Choices[i].Text
		}
	}
	return ""
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Completion) UnmarshalJSON(data []byte) error {
	type plain Completion
	return object.Decode(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *CompletionChoice) UnmarshalJSON(data []byte) error {
	type plain CompletionChoice
	return object.Decode(data, (*plain)(c), &c.Extra)
}

// Complete asks for the continuation of texts and waits for all of it. A refusal by the service is an *Error.
func (c *Client) Complete(ctx context.Context, req *CompletionRequest) (*Completion, error) {
	reply := new(Completion)
	call, err := completionCall(req, false)
	if err == nil {
		err = c.unary(ctx, call, reply)
	}
	if err != nil {
		return nil, fmt.Errorf("complete: %w", err)
	}
	return reply, nil
}

// CompleteStream asks for the continuation of texts in fragments, under the rules of ChatStream.
func (c *Client) CompleteStream(ctx context.Context, req *CompletionRequest) iter.Seq2[*Completion, error] {
	return func(yield func(*Completion, error) bool) {
		call, err := completionCall(req, true)
		if err == nil {
			err = stream(ctx, c, call, yield)
		}
		if err != nil {
			yield(nil, fmt.Errorf("complete: %w", err))
		}
	}
}

func (c *Completion) accept(op *Operation, meta Meta) error {
	c.arrive(op, meta, func(_ int, reason FinishReason) { op.FinishReasons = append(op.FinishReasons, reason) })
	if len(c.Choices) == 0 {
		return errors.New("the reply has no choices; is this a Model Inference endpoint?")
	}
	return nil
}

func (c *Completion) arrive(op *Operation, meta Meta, note func(int, FinishReason)) {
	c.Meta = meta
	op.learn(c.ID, c.Model, c.Usage, meta)
	for i := range c.Choices {
		note(c.Choices[i].Index, c.Choices[i].FinishReason)
	}
}

func completionCall(req *CompletionRequest, stream bool) (call, error) {
	if req == nil {
		return call{}, errors.New("the request has no prompt")
	}
	prompt, err := inputs(req.Prompt, req.Tokens)
	if err != nil {
		return call{}, err
	}
	if len(req.Prompt) == 1 { // a list is not what every service takes
		prompt = req.Prompt[0]
	}
	type plain CompletionRequest
	return post("text_completion", "completions", req.Model, struct {
		Prompt any `json:"prompt"`
		plain
	}{prompt, plain(*req)}, req.Extra, req.Header, stream)
}

// inputs is what of texts and tokens is sent.
func inputs(texts []string, tokens [][]int) (any, error) {
	switch {
	case len(texts) > 0 && len(tokens) > 0:
		return nil, errors.New("the request has both texts and tokens; set one of them")
	case len(texts) > 0:
		return texts, nil
	case len(tokens) > 0:
		return tokens, nil
	default:
		return nil, errors.New("the request has no text")
	}
}
