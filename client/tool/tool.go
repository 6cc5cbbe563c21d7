// Package tool makes tools of Go functions, and lets a model call them until it has an answer.
package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/schema"
)

// Func is a function that a model may call. It is safe for concurrent use if its function is.
type Func struct {
	definition client.Tool
	call       func(ctx context.Context, arguments client.Arguments) (string, error)
}

// New makes a tool of a function. Its parameters are the fields of A, a struct, described by the tags that package schema
// knows; struct{} takes none. What it returns is told to the model: a string as it is, anything else as JSON; an error, too.
// The error of New is about the name or A, whatever a model says later.
func New[A, R any](name, description string, f func(ctx context.Context, arguments A) (R, error)) (Func, error) {
	return newFunc(name, description, f, schema.Of[A], nil)
}

// NewStrict makes a tool whose arguments are held to the schema by the service, where it can.
func NewStrict[A, R any](name, description string, f func(ctx context.Context, arguments A) (R, error)) (Func, error) {
	return newFunc(name, description, f, schema.Strict[A], new(true))
}

var named = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func newFunc[A, R any](name, description string, f func(context.Context, A) (R, error), describe func() (json.RawMessage, error), strict *bool) (Func, error) {
	if !named.MatchString(name) {
		return Func{}, fmt.Errorf("make tool %q: services take names of 1 to 64 letters, digits, _ and -", name)
	}
	parameters, err := describe()
	if err != nil {
		return Func{}, fmt.Errorf("make tool %s: %w", name, err)
	}
	if !bytes.HasPrefix(parameters, []byte(`{"type":"object"`)) {
		return Func{}, fmt.Errorf("make tool %s: %s is no struct, and arguments come as objects alone", name, reflect.TypeFor[A]())
	}
	return Func{
		definition: client.Tool{Function: client.Function{Name: name, Description: description, Parameters: parameters, Strict: strict}},
		call: func(ctx context.Context, arguments client.Arguments) (string, error) {
			var a A
			if err := arguments.Decode(&a); err != nil {
				return "", err
			}
			result, err := f(ctx, a)
			if err != nil {
				return "", err
			}
			if text, ok := any(result).(string); ok {
				return text, nil
			}
			text, err := json.Marshal(result)
			return string(text), err
		},
	}, nil
}

// Tool returns what a request tells the model of the function.
func (f Func) Tool() client.Tool { return f.definition }

// Name returns the name of the function.
func (f Func) Name() string { return f.definition.Function.Name }

// Call calls the function with what a model wrote as arguments.
func (f Func) Call(ctx context.Context, arguments client.Arguments) (string, error) {
	return f.call(ctx, arguments)
}

// Tools returns what a request tells the model of functions.
func Tools(funcs ...Func) []client.Tool {
	tools := make([]client.Tool, 0, len(funcs))
	for _, f := range funcs {
		tools = append(tools, f.Tool())
	}
	return tools
}

// Answer calls the function that a model asks for, one of funcs, and returns the message that tells the model what came of it.
// What is wrong with the call, or went wrong in it, is told to the model, which often mends it; only a context that has ended
// is an error.
func Answer(ctx context.Context, call client.ToolCall, funcs ...Func) (client.Message, error) {
	at := slices.IndexFunc(funcs, func(f Func) bool { return f.Name() == call.Function.Name })
	if at < 0 {
		return client.ToolResult(call.ID, fmt.Sprintf("error: there is no function %q", call.Function.Name)), nil
	}
	text, err := funcs[at].Call(ctx, call.Function.Arguments)
	if ctx.Err() != nil {
		return client.Message{}, ctx.Err()
	}
	if err != nil {
		text = "error: " + err.Error()
	}
	return client.ToolResult(call.ID, text), nil
}

// ErrRounds says that a model still called functions after as many rounds as were allowed.
var ErrRounds = errors.New("the model goes on to call functions; raise the number of rounds, or ask for less")

// Run asks for an answer, calls the functions that the model asks for one after the other, tells it what came of them, and so
// on, until an answer calls none. It makes at most rounds requests; ErrRounds says that these were not enough. history is the
// conversation: the request's messages and all that followed, the answer included. A tool choice of the request that demands
// a call holds for the first round alone, since there would be no end.
func Run(ctx context.Context, c *client.Client, req *client.ChatRequest, rounds int, funcs ...Func) (reply *client.ChatReply, history []client.Message, err error) {
	if req == nil {
		return nil, nil, errors.New("run tools: the request has no messages")
	}
	next := *req
	next.Tools = append(slices.Clone(req.Tools), Tools(funcs...)...)
	next.Messages = slices.Clone(req.Messages)
	for range rounds {
		reply, err = c.Chat(ctx, &next)
		if err != nil {
			return nil, next.Messages, err
		}
		message := reply.Message()
		next.Messages = append(next.Messages, message)
		if len(message.ToolCalls) == 0 {
			return reply, next.Messages, nil
		}
		for _, call := range message.ToolCalls {
			result, err := Answer(ctx, call, funcs...)
			if err != nil {
				return reply, next.Messages, fmt.Errorf("call function %s: %w", call.Function.Name, err)
			}
			next.Messages = append(next.Messages, result)
		}
		next.ToolChoice = nil
	}
	return reply, next.Messages, fmt.Errorf("run tools: %w", ErrRounds)
}
