// Package azureai is the door that Ingot exists for: Azure AI Model Inference (doc/protocol.md
// §§1–7), at these paths.
//
//	/…                     the root, as a serverless endpoint
//	/models/…              as a Foundry resource
//	/deployments/{name}/…  each deployment's own serverless root
//
//	GET  …/info
//	POST …/chat/completions
//	POST …/completions
//	POST …/embeddings
package azureai

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/reply"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// Options is what this door can be told.
type Options struct {
	dialect.Options
	ServiceSpelling bool               // model_type as the service spells it (doc/protocol.md §6.2)
	LegacyExtras    bool               // the old words ignore and allow (doc/protocol.md §3.6)
	StrictVersions  bool               // an api-version that was published is needed (doc/protocol.md §1.3)
	Reasoning       llm.ReasoningPlace // for deployments that do not say
}

type door struct{ Options }

// Handler serves the door.
func Handler(o Options) http.Handler {
	d := &door{o}
	return o.Serve(d.serve, d.writeError)
}

func (d *door) serve(w http.ResponseWriter, r *http.Request) error {
	caller, err := d.Authenticate(r)
	if err != nil {
		return err
	}
	if d.AllowHost != nil && !d.AllowHost(r.Host) {
		return &llm.Error{Kind: llm.BadHost, Message: "This endpoint listens on the machine itself and answers to its own address and localhost only, not to the Host of this request. Use http://localhost, or let it listen to the network (listen: 0.0.0.0:8080)."}
	}
	p, ok := locate(r.URL.EscapedPath())
	if !ok {
		return noRoute(p, r.URL.EscapedPath())
	}
	switch want := methods[p.operation]; {
	case r.Method == want || r.Method == http.MethodHead && want == http.MethodGet: // net/http sends no body to HEAD
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allow(p.operation))
		w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		w.Header().Set("Allow", allow(p.operation))
		return &llm.Error{Kind: llm.Method, Message: "Method Not Allowed: " + p.operation + " takes " + want + "."}
	}
	var query url.Values
	if r.URL.RawQuery != "" {
		query = r.URL.Query()
	}
	version, err := d.version(query)
	if err != nil {
		return err
	}
	if p.operation == "info" {
		return d.info(w, r, p, last(query["model"]))
	}
	body, err := d.Body(w, r)
	if err != nil {
		return err
	}
	switch p.operation {
	case "chat/completions":
		err = d.chat(w, r, p, version, caller, body)
	case "completions":
		err = d.complete(w, r, p, version, caller, body)
	default:
		err = d.embed(w, r, p, version, caller, body)
	}
	if e, ok := errors.AsType[*llm.Error](err); ok && len(e.Details) > 0 {
		return request.WithInputs(e, body)
	}
	return err
}

func (d *door) chat(w http.ResponseWriter, r *http.Request, p place, version string, caller llm.Caller, body []byte) error {
	c, err := d.contract(r, version, chatMembers, chatOpenAI)
	if err != nil {
		return err
	}
	req, err := request.DecodeChat(body, c)
	if err != nil {
		return err
	}
	info, err := d.resolve(r, p, llm.OpChat, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, caller
	style := d.style(version, info, req.UsageChunk)
	stream := d.Backend.Chat(r.Context(), req)
	if req.Stream {
		return d.Stream(w, r, stream, func(first *llm.Reply) dialect.Encoder {
			return encoder{reply.NewStreamEncoder(llm.OpChat, head("", first, info), style)}
		})
	}
	answer, err := stream.Collect()
	if err != nil {
		return err
	}
	dialect.MetaHeaders(w.Header(), answer.Meta)
	return d.Answer(w, r, reply.AppendChat(nil, answer, head("", answer, info), style))
}

// defaultMaxTokens is what a text completion without max_tokens may generate (doc/protocol.md §4.1).
const defaultMaxTokens = 256

func (d *door) complete(w http.ResponseWriter, r *http.Request, p place, version string, caller llm.Caller, body []byte) error {
	c, err := d.contract(r, version, completeMembers, completeOpenAI)
	if err != nil {
		return err
	}
	req, err := request.DecodeComplete(body, c)
	if err != nil {
		return err
	}
	info, err := d.resolve(r, p, llm.OpComplete, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, caller
	if req.MaxTokens == nil {
		req.MaxTokens = new(defaultMaxTokens)
	}
	stream := d.Backend.Complete(r.Context(), req)
	if req.Stream {
		return d.Stream(w, r, stream, func(first *llm.Reply) dialect.Encoder {
			return encoder{reply.NewStreamEncoder(llm.OpComplete, head(textID, first, info), reply.Style{Wire: llm.WireInference, UsageChunk: req.UsageChunk})}
		})
	}
	answer, err := stream.Collect()
	if err != nil {
		return err
	}
	dialect.MetaHeaders(w.Header(), answer.Meta)
	return d.Answer(w, r, reply.AppendText(nil, answer, head(textID, answer, info)))
}

func (d *door) embed(w http.ResponseWriter, r *http.Request, p place, version string, caller llm.Caller, body []byte) error {
	c, err := d.contract(r, version, embedMembers, embedOpenAI)
	if err != nil {
		return err
	}
	req, err := request.DecodeEmbed(body, c)
	if err != nil {
		return err
	}
	info, err := d.resolve(r, p, llm.OpEmbed, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, caller
	answer, err := d.Backend.Embed(r.Context(), req)
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
	if answer.Model == "" {
		answer.Model = info.Model
	}
	dialect.MetaHeaders(w.Header(), answer.Meta)
	return d.Answer(w, r, reply.AppendEmbed(nil, answer, dialect.NewID(), req.Encoding))
}

// style is how a chat answer is written: reasoning by the deployment, the configuration, or the
// api-version (doc/protocol.md §3.7), none counting as 2024-05-01-preview.
func (d *door) style(version string, info llm.ModelInfo, usageChunk bool) reply.Style {
	s := reply.Style{Wire: llm.WireInference, Reasoning: info.Reasoning, UsageChunk: usageChunk}
	if s.Reasoning == llm.ReasoningByDoor {
		s.Reasoning = d.Reasoning
	}
	if s.Reasoning == llm.ReasoningByDoor {
		s.Reasoning = llm.ReasoningContent
		if version >= "2025-04-01" {
			s.Reasoning = llm.ReasoningField
		}
	}
	return s
}

// textID begins the ids of text completions (doc/protocol.md §4.2).
const textID = "cmpl-"

// head is what an answer says of itself; the model's own words come first.
func head(prefix string, first *llm.Reply, info llm.ModelInfo) reply.Head {
	h := reply.Head{ID: first.ID, Model: first.Model, Created: first.Created.Unix()}
	if h.ID == "" {
		h.ID = prefix + dialect.NewID()
	}
	if h.Model == "" {
		h.Model = info.Model
	}
	if first.Created.IsZero() {
		h.Created = time.Now().Unix()
	}
	return h
}

// encoder adds this door's errors to the shared stream format.
type encoder struct{ *reply.StreamEncoder }

// Fail appends the error as a frame; the connection is broken after it (doc/protocol.md §3.9).
func (encoder) Fail(dst []byte, e *llm.Error) []byte { return appendErrorFrame(dst, e) }
