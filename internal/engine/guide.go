package engine

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/upstream"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
)

// guidance remembers whether a child obeys grammars of llguidance: a server that was built without it drops them in silence.
type guidance struct {
	mu    sync.Mutex
	asked string // the address of the child that was asked
	obeys bool
}

// grammar is the one of the request's that the child obeys. It asks each child once.
func (m *Model) grammar(ctx context.Context, c *upstream.Client, r *llm.ChatRequest) (string, error) {
	if r.Grammar == "" {
		return r.PlainGrammar, nil
	}
	g := &m.child.guidance
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.asked != c.Base {
		obeys, err := tryGuidance(ctx, c)
		if err != nil {
			return "", err
		}
		g.asked, g.obeys = c.Base, obeys
	}
	if g.obeys {
		return r.Grammar, nil
	}
	return r.PlainGrammar, nil
}

func tryGuidance(ctx context.Context, c *upstream.Client) (bool, error) {
	const question = `{"prompt":"a","n_predict":8,"temperature":0,"cache_prompt":false,"grammar":"%llguidance {\"no_forcing\":true}\nstart: \"ok\""}`
	root := strings.TrimSuffix(c.Base, "/v1")
	body, err := c.Post(ctx, root+"/completion", []byte(question))
	if e, ok := errors.AsType[*llm.Error](err); ok && e.Status != 0 {
		return false, nil // it says so
	}
	if err != nil {
		return false, err
	}
	v, err := jsonx.Parse(body)
	return err == nil && v.Get("content").Text() == "ok", nil
}

// continues reports whether the last message of a chat is one that the answer continues (doc/protocol.md §3.2).
func continues(ms []llm.Message) bool {
	if len(ms) == 0 {
		return false
	}
	last := &ms[len(ms)-1]
	return last.Role == llm.Assistant && last.Prefix
}

// canContinue fails where a server of the user's would begin a new message instead.
func (m *Model) canContinue(ctx context.Context, c *upstream.Client, r *llm.ChatRequest) error {
	if m.Spec.Engine.Kind != process.LlamaServer || string(r.Extra["continue_final_message"]) != "true" {
		return nil
	}
	root := strings.TrimSuffix(c.Base, "/v1")
	body, err := c.Post(ctx, root+"/apply-template", encode.AppendChat(nil, r))
	if err != nil {
		return err
	}
	last := len(r.Messages) - 1
	var said []byte
	for _, p := range r.Messages[last].Parts {
		if t, ok := p.(llm.Text); ok {
			said = t.AppendTo(said)
		}
	}
	v, err := jsonx.Parse(body)
	if err == nil && strings.HasSuffix(strings.TrimSpace(v.Get("prompt").Text()), strings.TrimSpace(string(said))) {
		return nil
	}
	msg := "The engine of model '" + m.Info.Deployment + "' cannot continue a message: it is older than what Ingot was tested with."
	return &llm.Error{Kind: llm.Unsupported, Param: "messages", Message: msg, Details: []llm.Detail{
		{Type: "parameter_not_supported", Loc: []any{"body", "messages", last, "prefix"}, Msg: msg},
	}}
}
