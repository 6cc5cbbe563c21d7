package dialect

import (
	"net/http"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/reply"
)

// Form is how a door of the family of wire/openai writes the answers of an operation.
type Form struct {
	Style reply.Style
	NewID func() string                         // for answers whose model gives them none; nil is NewID
	Fail  func(dst []byte, e *llm.Error) []byte // appends what tells of an error inside a stream
}

// Chat asks the backend, and answers whole or as a stream. The request is for the deployment of info.
func (o *Options) Chat(w http.ResponseWriter, r *http.Request, req *llm.ChatRequest, info *llm.ModelInfo, f Form) error {
	f.Style.NamedStop = f.Style.NamedStop && req.ToolChoice != nil && req.ToolChoice.Mode == llm.ToolNamed
	f.Style.Functions = req.Functions
	if req.TopLogprobs != nil {
		f.Style.Top = *req.TopLogprobs
	}
	if req.Functions {
		req = req.Edit() // targets are asked for tools, and nobody reads the answer in the old form
		if info.Features.Has(llm.FeatureParallelTools) {
			req.ParallelToolCalls = new(false) // the answer has room for one call
		}
	}
	stream := o.Backend.Chat(r.Context(), req)
	if req.Stream {
		return o.Stream(w, r, stream, func(first *llm.Reply) Encoder {
			return failing{reply.NewStreamEncoder(llm.OpChat, f.head(first, info), f.Style), f.Fail}
		})
	}
	answer, err := stream.Collect()
	if err != nil {
		return err
	}
	MetaHeaders(w.Header(), answer.Meta)
	return o.Answer(w, r, reply.AppendChat(nil, answer, f.head(answer, info), f.Style))
}

// Complete asks the backend, and answers whole or as a stream. The request is for the deployment of info.
func (o *Options) Complete(w http.ResponseWriter, r *http.Request, req *llm.CompleteRequest, info *llm.ModelInfo, f Form) error {
	if req.Logprobs != nil {
		f.Style.Top = *req.Logprobs
	}
	stream := o.Backend.Complete(r.Context(), req)
	if req.Stream {
		return o.Stream(w, r, stream, func(first *llm.Reply) Encoder {
			return failing{reply.NewStreamEncoder(llm.OpComplete, f.head(first, info), f.Style), f.Fail}
		})
	}
	answer, err := stream.Collect()
	if err != nil {
		return err
	}
	MetaHeaders(w.Header(), answer.Meta)
	return o.Answer(w, r, reply.AppendText(nil, answer, f.head(answer, info), f.Style))
}

// Embed asks the backend and answers. The request is for the deployment of info.
func (o *Options) Embed(w http.ResponseWriter, r *http.Request, req *llm.EmbedRequest, info *llm.ModelInfo, f Form) error {
	answer, err := o.Backend.Embed(r.Context(), req)
	if err != nil {
		return err
	}
	for _, v := range answer.Vectors {
		if (req.Encoding == llm.Binary || req.Encoding == llm.Ubinary) && len(v)%8 != 0 {
			e := llm.Faulty(llm.Detail{Type: "value_error", Loc: []any{"body", "encoding_format"}, Msg: "Bits need a number of dimensions that 8 divides"})
			e.Meta = answer.Meta
			return e
		}
	}
	head := f.head(&llm.Reply{ID: answer.ID, Model: answer.Model}, info)
	MetaHeaders(w.Header(), answer.Meta)
	return o.Answer(w, r, reply.AppendEmbed(nil, answer, head, req.Encoding, f.Style))
}

// head is what an answer says of itself; the model's own words come first.
func (f *Form) head(first *llm.Reply, info *llm.ModelInfo) reply.Head {
	h := reply.Head{ID: first.ID, Model: first.Model, Created: first.Created.Unix()}
	if h.ID == "" && f.NewID != nil {
		h.ID = f.NewID()
	} else if h.ID == "" {
		h.ID = NewID()
	}
	if h.Model == "" {
		h.Model = info.Model
	}
	if first.Created.IsZero() {
		h.Created = time.Now().Unix()
	}
	return h
}

// failing adds a door's errors to the shared stream format.
type failing struct {
	*reply.StreamEncoder
	fail func(dst []byte, e *llm.Error) []byte
}

// Fail appends the error; the connection is broken after it (doc/protocol.md §3.9).
func (f failing) Fail(dst []byte, e *llm.Error) []byte { return f.fail(dst, e) }

// ReasoningPlace is where the thoughts of a deployment go: as it says itself, else as the configuration does, else the door.
func ReasoningPlace(info *llm.ModelInfo, configured, door llm.ReasoningPlace) llm.ReasoningPlace {
	for _, place := range []llm.ReasoningPlace{info.Reasoning, configured} {
		if place != llm.ReasoningByDoor {
			return place
		}
	}
	return door
}
