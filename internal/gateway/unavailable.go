package gateway

import (
	"cmp"
	"context"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/route"
)

// unavailable stands for a model that could not be opened. It answers whatever is asked with the
// reason, so that the other models can be served meanwhile.
type unavailable struct{ info llm.ModelInfo }

var _ llm.Backend = unavailable{}

func unavailableModel(m *config.Model) route.Deployment {
	b := unavailable{llm.ModelInfo{
		Deployment: m.Name, Model: m.Name, Publisher: "unknown", Provider: cmp.Or(m.Provider, "local"),
		Operations: llm.Operations(),
		Features:   llm.Features{Set: ^llm.Feature(0), Any: true},
	}}
	return route.Deployment{Targets: []route.Target{{Backend: b, Info: b.info}}}
}

func (u unavailable) err() error {
	return &llm.Error{
		Kind:    llm.Unavailable,
		Message: "The model of " + u.info.Deployment + " could not be opened when the endpoint read its configuration; the endpoint's log has the reason.",
	}
}

func (u unavailable) Chat(context.Context, *llm.ChatRequest) llm.Stream { return llm.Fail(u.err()) }

func (u unavailable) Complete(context.Context, *llm.CompleteRequest) llm.Stream {
	return llm.Fail(u.err())
}

func (u unavailable) Embed(context.Context, *llm.EmbedRequest) (*llm.EmbedReply, error) {
	return nil, u.err()
}

func (u unavailable) Models(context.Context) ([]llm.ModelInfo, error) {
	return []llm.ModelInfo{u.info}, nil
}
