// Package responses answers OpenAI's Responses API (doc/protocol.md §9.3): it puts a request to the model as a chat, and
// tells the answer as output items, whole or as numbered events. Responses are stored only where a Store is given.
package responses

import (
	"net/http"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Options is what a Handler needs.
type Options struct {
	dialect.Options
	Store *Store // nil: nothing is stored, and whoever asks for it is told so
}

// Handler answers the requests of the API for the door that its paths belong to. It may be used concurrently.
type Handler struct{ Options }

// New makes a Handler.
func New(o Options) *Handler { return &Handler{o} }

// Create answers POST …/responses, whose body was read within the door's limits. resolve finds the deployment that a model's
// name means. An *llm.Error is returned before anything was written; its Param is the path of the member at fault.
func (h *Handler) Create(w http.ResponseWriter, r *http.Request, caller llm.Caller, body []byte, resolve func(model string) (llm.ModelInfo, error)) error {
	return &llm.Error{Kind: llm.NoRoute, Message: "There are no responses yet."}
}

// Item answers GET and DELETE …/responses/{id}, GET …/{id}/input_items and POST …/{id}/cancel; rest is the path after
// …/responses/, unescaped. An *llm.Error is returned before anything was written.
func (h *Handler) Item(w http.ResponseWriter, r *http.Request, caller llm.Caller, rest []string) error {
	return &llm.Error{Kind: llm.NoRoute, Message: "There are no responses yet."}
}
