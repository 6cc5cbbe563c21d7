package responses

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Item answers GET and DELETE …/responses/{id}, GET …/{id}/input_items and POST …/{id}/cancel; rest is the path after
// …/responses/, unescaped. An *llm.Error is returned before anything was written.
func (h *Handler) Item(w http.ResponseWriter, r *http.Request, caller llm.Caller, rest []string) error {
	operation := strings.Join(rest[min(1, len(rest)):], "/")
	takes := map[string][]string{"": {http.MethodGet, http.MethodDelete}, "input_items": {http.MethodGet}, "cancel": {http.MethodPost}}[operation]
	// What OpenAI has beside the ids, such as compact, is asked for by POST, which no id takes.
	other := operation == "" && r.Method == http.MethodPost && len(rest) > 0 && !strings.HasPrefix(rest[0], "resp_")
	if len(rest) == 0 || takes == nil || other {
		return &llm.Error{Kind: llm.NoRoute, Message: "There is no such path below responses: responses/{id}, responses/{id}/input_items and responses/{id}/cancel are."}
	}
	if answered, err := dialect.Method(w, r, strings.TrimSuffix("responses/{id}/"+operation, "/"), takes...); answered || err != nil {
		return err
	}
	if h.Store == nil {
		return notFound(rest[0], ": this endpoint stores no responses (responses.store is off)")
	}
	e, ok := h.Store.find(rest[0], caller)
	if !ok {
		return notFound(rest[0], "")
	}
	switch {
	case operation == "input_items":
		return h.inputItems(w, r, e)
	case operation == "cancel":
		return h.cancel(w, r, e)
	case r.Method == http.MethodDelete:
		h.Store.remove(e)
		j := &jsonx.Writer{}
		j.BeginObject()
		j.Str("id", e.id)
		j.Str("object", "response")
		j.Bool("deleted", true)
		j.EndObject()
		h.JSON(w, http.StatusOK, j.Bytes)
		return nil
	}
	return h.retrieve(w, r, e)
}

func notFound(id, why string) error {
	return &llm.Error{Kind: llm.NotFound, Message: "Response with id '" + dialect.Clip(id) + "' not found" + why + "."}
}

func (h *Handler) retrieve(w http.ResponseWriter, r *http.Request, e *entry) error {
	query := r.URL.Query()
	streamed, err := h.streamed(w, r)
	if err != nil {
		return err
	}
	if !streamed {
		body, _, meta := h.Store.read(e)
		meta.Limits = llm.Limits{} // of that time
		dialect.MetaHeaders(w.Header(), meta)
		return h.Answer(w, r, body)
	}
	if !e.background || !e.streamed {
		return fault("stream", "Invalid 'stream': only a response that was created with 'background' and 'stream' can be streamed again.")
	}
	from := 0
	if after := dialect.Last(query, "starting_after"); after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 || n >= math.MaxInt32 {
			return fault("starting_after", "Invalid 'starting_after': expected the sequence_number of an event.")
		}
		from = n + 1
	}
	return h.follow(w, r, e, from)
}

// streamed says whether the events are asked for: in the query or, as openai-go does it, in a body.
func (h *Handler) streamed(w http.ResponseWriter, r *http.Request) (bool, error) {
	if r.ContentLength == 0 || r.URL.Query().Has("stream") {
		return dialect.Last(r.URL.Query(), "stream") == "true", nil
	}
	body, err := h.Body(w, r)
	if err != nil || len(body) == 0 {
		return false, err
	}
	root, err := jsonx.Parse(body)
	if err != nil {
		return false, &llm.Error{Kind: llm.Malformed, Message: "The request body is not valid JSON: " + err.Error() + "."}
	}
	streamed, err := root.Get("stream").Bool()
	return streamed && err == nil, nil
}

// fault is what is wrong with a parameter of the query.
func fault(param, msg string) error {
	e := llm.Faulty(llm.Detail{Type: "value_error", Msg: msg, Loc: []any{"query", param}})
	e.Message = msg
	return e
}

func (h *Handler) cancel(w http.ResponseWriter, r *http.Request, e *entry) error {
	if !e.background {
		return &llm.Error{Kind: llm.Invalid, Message: "Cannot cancel a synchronous response: only one that was created with 'background' can be cancelled."}
	}
	body, ended := h.Store.stop(r.Context(), e)
	if !ended { // it was deleted, or nobody waits any more
		return notFound(e.id, "")
	}
	return h.Answer(w, r, body)
}

// inputItems lists a page of what a response was asked.
func (h *Handler) inputItems(w http.ResponseWriter, r *http.Request, e *entry) error {
	query := r.URL.Query()
	limit, order, err := page(query)
	if err != nil {
		return err
	}
	items := e.input
	if order == "desc" {
		items = slices.Clone(items)
		slices.Reverse(items)
	}
	if after := dialect.Last(query, "after"); after != "" {
		at := slices.IndexFunc(items, func(item []byte) bool { return jsonx.Value(item).Get("id").Is(after) })
		if at < 0 {
			return fault("after", "Invalid 'after': there is no item with id '"+dialect.Clip(after)+"'.")
		}
		items = items[at+1:]
	}
	more := len(items) > limit
	items = items[:min(limit, len(items))]
	j := &jsonx.Writer{}
	j.BeginObject()
	j.Str("object", "list")
	j.Member("data")
	j.BeginArray()
	for _, item := range items {
		j.Bytes = append(j.Next(), item...)
	}
	j.EndArray()
	if n := len(items); n == 0 {
		j.Null("first_id")
		j.Null("last_id")
	} else {
		j.Raw("first_id", jsonx.Value(items[0]).Get("id"))
		j.Raw("last_id", jsonx.Value(items[n-1]).Get("id"))
	}
	j.Bool("has_more", more)
	j.EndObject()
	return h.Answer(w, r, j.Bytes)
}

func page(query url.Values) (limit int, order string, err error) {
	const usual, highest = 20, 100
	limit, order = usual, "desc"
	if l := dialect.Last(query, "limit"); l != "" {
		if limit, err = strconv.Atoi(l); err != nil || limit < 1 || limit > highest {
			return 0, "", fault("limit", "Invalid 'limit': expected an integer from 1 to 100.")
		}
	}
	if o := dialect.Last(query, "order"); o != "" {
		if order = o; o != "asc" && o != "desc" {
			return 0, "", fault("order", "Invalid 'order': supported values are 'asc' and 'desc'.")
		}
	}
	return limit, order, nil
}
