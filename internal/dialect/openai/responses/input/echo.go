package input

import (
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// echo is what a response repeats of its request, as JSON where it need not be understood; absent is null or the default.
type echo struct {
	instructions, metadata, effort, format, choice, user, safety, previous, toolCalls jsonx.Value
	tools                                                                             []llm.Tool
	parallel                                                                          bool
	temperature, topP                                                                 *float64
	limit, top                                                                        *int
}

// Echo returns what a response repeats of its request: the members of a JSON object.
func (c *Request) Echo() []byte {
	e, w := &c.echo, &jsonx.Writer{}
	raw := func(name string, v jsonx.Value) {
		if v == nil {
			v = jsonx.Value("null")
		}
		w.Raw(name, v)
	}
	raw("instructions", e.instructions)
	writeInt(w, "max_output_tokens", e.limit)
	raw("max_tool_calls", e.toolCalls)
	w.Raw("metadata", or(some(e.metadata), jsonx.Value("{}")))
	w.Bool("parallel_tool_calls", e.parallel)
	raw("previous_response_id", e.previous)
	w.Member("reasoning")
	w.BeginObject()
	raw("effort", e.effort)
	w.Null("summary")
	w.EndObject()
	w.Raw("safety_identifier", e.safety)
	w.Float("temperature", or(e.temperature, 1))
	w.Member("text")
	w.BeginObject()
	w.Raw("format", or(some(e.format), jsonx.Value(`{"type":"text"}`)))
	w.EndObject()
	w.Raw("tool_choice", or(some(e.choice), jsonx.Value(`"auto"`)))
	e.writeTools(w)
	w.Int("top_logprobs", int64(or(e.top, 0)))
	w.Float("top_p", or(e.topP, 1))
	w.Str("truncation", "disabled")
	raw("user", e.user)
	return w.Bytes
}

// some is v unless it is absent.
func some(v jsonx.Value) *jsonx.Value {
	if v == nil {
		return nil
	}
	return &v
}

func writeInt(w *jsonx.Writer, name string, n *int) {
	if n == nil {
		w.Null(name)
		return
	}
	w.Int(name, int64(*n))
}

func (e *echo) writeTools(w *jsonx.Writer) {
	w.Member("tools")
	w.BeginArray()
	for i := range e.tools {
		t := &e.tools[i]
		w.BeginObject()
		w.Str("type", "function")
		w.Str("name", t.Name)
		if t.Description == nil {
			w.Null("description")
		} else {
			w.Member("description")
			w.Bytes = t.Description.AppendJSON(w.Next())
		}
		w.Raw("parameters", or(some(jsonx.Value(t.Parameters)), jsonx.Value("null")))
		if t.Strict == nil {
			w.Null("strict")
		} else {
			w.Bool("strict", *t.Strict)
		}
		w.EndObject()
	}
	w.EndArray()
}
