// Package responses answers OpenAI's Responses API (doc/protocol.md §9.3): it puts a request to the model as a chat, and
// tells the answer as output items, whole or as numbered events. Responses are stored only where a Store is given.
package responses

import (
	"context"
	"net/http"
	"slices"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/openai/responses/input"
	"github.com/ingot-llm/ingot/internal/dialect/openai/responses/output"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// Options is what a Handler needs.
type Options struct {
	dialect.Options
	LegacyExtras  bool               // the old words ignore and allow (doc/protocol.md §3.6)
	IgnoreUnknown bool               // leave out members that the API does not have, instead of refusing them
	Reasoning     llm.ReasoningPlace // for deployments that do not say; all but hidden is told
	Store         *Store             // nil: nothing is stored, and whoever asks for it is told so
}

// Handler answers the requests of the API for the door that its paths belong to. It may be used concurrently.
type Handler struct{ Options }

// New makes a Handler.
func New(o Options) *Handler { return &Handler{o} }

// Create answers POST …/responses, whose body was read within the door's limits. resolve finds the deployment that a model's
// name means. An *llm.Error is returned before anything was written; its Param is the path of the member at fault.
func (h *Handler) Create(w http.ResponseWriter, r *http.Request, caller llm.Caller, body []byte, resolve func(model string) (llm.ModelInfo, error)) error {
	extras, err := dialect.ReadExtras(r.Header, h.LegacyExtras)
	if err != nil {
		return err
	}
	if !extras.Given && h.IgnoreUnknown {
		extras.Unknown = request.Drop
	}
	req, err := input.Decode(body, extras)
	if err != nil {
		return err
	}
	stored, err := h.stores(req)
	if err != nil {
		return err
	}
	before, err := h.history(req.Previous, caller)
	if err != nil {
		return err
	}
	if err := req.Converse(before, h.lookup(caller)); err != nil {
		return err
	}
	info, err := resolve(req.Chat.Model)
	if err != nil {
		return err
	}
	req.Chat.Model, req.Chat.Caller = info.Deployment, caller
	a := output.New(output.Options{
		Model: info.Model, Echo: req.Echo(), Stored: stored, Background: req.Background, Streamed: req.Chat.Stream,
		Logprobs: req.Chat.Logprobs, Hidden: dialect.ReasoningPlace(&info, h.Reasoning, llm.ReasoningField) == llm.ReasoningHidden,
	})
	var e *entry
	if stored {
		e = &entry{
			id: a.ID(), owner: caller.Name, background: req.Background, streamed: req.Chat.Stream, before: before,
			input: req.Items(a.ID()), held: int64(len(body)),
		}
	}
	chat := func(ctx context.Context) llm.Stream { return a.Watch(input.Translate(h.Backend.Chat(ctx, &req.Chat))) }
	switch {
	case req.Background:
		return h.inBackground(w, r, &req.Chat, e, a, chat)
	case req.Chat.Stream:
		return h.Stream(w, r, chat(r.Context()), func(*llm.Reply) dialect.Encoder { return &encoder{a, e, h.Store} })
	}
	return h.whole(w, r, e, a, chat(r.Context()))
}

// stores decides whether a response is stored, and refuses what takes a store where there is none.
func (h *Handler) stores(req *input.Request) (bool, error) {
	const off = "this endpoint stores no responses (responses.store is off)."
	wanted := req.Store == nil || *req.Store
	switch {
	case h.Store == nil && req.Previous != "":
		return false, input.Unsupported("previous_response_id", off+" Send the earlier items in 'input'.")
	case h.Store == nil && req.Background:
		return false, input.Unsupported("background", off)
	case h.Store == nil:
		if wanted && req.Store != nil {
			req.Chat.Dropped = append(req.Chat.Dropped, "store")
		}
		return false, nil
	case req.Background && !wanted:
		return false, input.Invalid("background", "Invalid 'background': a response in the background is stored, which 'store' false forbids.")
	}
	return wanted, nil
}

// history is what a conversation goes on from.
func (h *Handler) history(id string, caller llm.Caller) ([][]byte, error) {
	if id == "" {
		return nil, nil
	}
	const name = "previous_response_id"
	e, ok := h.Store.find(id, caller)
	if !ok {
		return nil, input.Invalid(name, "Previous response with id '"+dialect.Clip(id)+"' not found.")
	}
	if _, status, _ := h.Store.read(e); status != output.Completed && status != output.Incomplete {
		return nil, input.Invalid(name, "Previous response with id '"+dialect.Clip(id)+"' is "+string(status)+", and nothing goes on from it.")
	}
	return h.Store.history(e), nil
}

// lookup finds the items of a caller's responses.
func (h *Handler) lookup(caller llm.Caller) func(id string) ([]byte, bool) {
	if h.Store == nil {
		return nil
	}
	return func(id string) ([]byte, bool) { return h.Store.item(id, caller) }
}

func (h *Handler) whole(w http.ResponseWriter, r *http.Request, e *entry, a *output.Answer, chat llm.Stream) error {
	for _, err := range chat {
		if err != nil {
			return err
		}
	}
	a.End()
	h.Store.keep(e, a)
	dialect.MetaHeaders(w.Header(), a.Meta())
	return h.Answer(w, r, a.JSON())
}

// inBackground answers with a response that is still to come about, or with its events.
func (h *Handler) inBackground(w http.ResponseWriter, r *http.Request, req *llm.ChatRequest, e *entry, a *output.Answer, chat func(context.Context) llm.Stream) error {
	req.Stream = true // so that its state is known, and what was said when it is cancelled
	body, err := h.Store.start(context.WithoutCancel(r.Context()), h.Logger, e, a, chat)
	if err != nil {
		return err
	}
	dialect.MetaHeaders(w.Header(), llm.Meta{Deployment: req.Model, Dropped: req.Dropped})
	if e.streamed {
		return h.follow(w, r, e, 0)
	}
	return h.Answer(w, r, body)
}

// follow sends the events of a response in the background that come after the first so many.
func (h *Handler) follow(w http.ResponseWriter, r *http.Request, e *entry, from int) error {
	fragments, next := h.Store.follow(r.Context(), e, from)
	return h.Stream(w, r, fragments, func(*llm.Reply) dialect.Encoder { return follower(next) })
}

// follower passes on events that were written before.
type follower func() [][]byte

// Fragment appends the new events.
func (next follower) Fragment(dst []byte, _ *llm.Reply) []byte {
	return append(dst, slices.Concat(next()...)...)
}

// Fail appends nothing: what was sent is no whole response.
func (follower) Fail(dst []byte, _ *llm.Error) []byte { return dst }

// End appends nothing: the last event was one of them.
func (follower) End(dst []byte) []byte { return dst }

// encoder writes the events of a response while it comes about.
type encoder struct {
	a     *output.Answer
	e     *entry // where it is stored
	store *Store
}

// Fragment appends the events that the fragment led to.
func (n *encoder) Fragment(dst []byte, _ *llm.Reply) []byte { return n.a.Flush(dst) }

// Fail appends that the response failed; the connection is broken after it (doc/protocol.md §3.9).
func (n *encoder) Fail(dst []byte, e *llm.Error) []byte {
	n.a.Fail(e)
	if e.Kind != llm.Canceled {
		n.store.keep(n.e, n.a)
	}
	return n.a.Flush(dst)
}

// End appends the ends of what is open, and of the response, which can be asked for from then on.
func (n *encoder) End(dst []byte) []byte {
	n.a.End()
	n.store.keep(n.e, n.a)
	return n.a.Flush(dst)
}
