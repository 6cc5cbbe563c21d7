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
	"strings"
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
	Reasoning       llm.ReasoningPlace // for deployments that do not say
}

type door struct{ Options }

// Handler serves the door.
func Handler(o Options) http.Handler {
	d := &door{o}
	return o.Serve(d.serve, d.writeError)
}

// place is where a request arrived: a base, its deployment, and what follows.
type place struct {
	base       string // "", models or deployments
	deployment string // of /deployments/{name}
	operation  string // info, chat/completions, …
	doubled    string // an operation before it, which an address that was pasted whole brings
}

var methods = map[string]string{
	"info": http.MethodGet, "chat/completions": http.MethodPost, "completions": http.MethodPost, "embeddings": http.MethodPost,
}

// locate reads a path. Doubled and trailing slashes count for nothing, since clients send them and lose
// a POST that is redirected (doc/protocol.md §1.2).
func locate(escaped string) (place, bool) {
	var segments []string
	for s := range strings.SplitSeq(escaped, "/") {
		if s == "" {
			continue
		}
		plain, err := url.PathUnescape(s)
		if err != nil {
			return place{}, false
		}
		segments = append(segments, plain)
	}
	rest, operation := lastOperation(segments)
	_, doubled := lastOperation(rest)
	p := place{operation: operation, doubled: doubled}
	switch {
	case operation == "":
		return p, false
	case len(rest) == 0:
	case len(rest) == 1 && rest[0] == "models":
		p.base = "models"
	case len(rest) > 1 && rest[0] == "deployments":
		p.base, p.deployment = "deployments", strings.Join(rest[1:], "/")
	default:
		return p, false
	}
	return p, true
}

// lastOperation splits the operation off that a path ends with; "" where it ends with none.
func lastOperation(segments []string) ([]string, string) {
	n := len(segments)
	take := min(n, 1)
	// A deployment may be called chat, and complete text.
	if n > 1 && segments[n-2] == "chat" && segments[n-1] == "completions" && (n != 3 || segments[0] != "deployments") {
		take = 2
	}
	operation := strings.Join(segments[n-take:], "/")
	if _, known := methods[operation]; !known {
		return segments, ""
	}
	return segments[:n-take], operation
}

func (d *door) serve(w http.ResponseWriter, r *http.Request) error {
	if d.AllowHost != nil && !d.AllowHost(r.Host) {
		return &llm.Error{Kind: llm.BadHost, Message: "This endpoint listens on the machine itself and answers to its own address and localhost only, not to the Host of this request."}
	}
	caller, ok := d.Authenticate(r.Header)
	if !ok {
		return &llm.Error{Kind: llm.Unauthenticated, Message: "Auth token validation failed. Please provide a valid key or a valid AAD token"}
	}
	p, ok := locate(r.URL.EscapedPath())
	if !ok {
		return &llm.Error{Kind: llm.NoRoute, Message: notServed + p.hint()}
	}
	if want := methods[p.operation]; r.Method != want {
		w.Header().Set("Allow", want)
		return &llm.Error{Kind: llm.Method, Message: "Method Not Allowed: " + p.operation + " takes " + want + "."}
	}
	if p.operation == "info" {
		return d.info(w, r, p)
	}
	body, err := d.Body(w, r)
	if err != nil {
		return err
	}
	switch p.operation {
	case "chat/completions":
		err = d.chat(w, r, p, caller, body)
	case "completions":
		err = d.complete(w, r, p, caller, body)
	default:
		err = d.embed(w, r, p, caller, body)
	}
	if e, ok := errors.AsType[*llm.Error](err); ok && len(e.Details) > 0 {
		return request.WithInputs(e, body)
	}
	return err
}

const notServed = "Resource not found. This endpoint answers GET /info and POST /chat/completions, /completions and /embeddings at its root, under /models and under /deployments/{name}."

// hint says what to do about a path that names two operations.
func (p place) hint() string {
	if p.doubled == "" {
		return ""
	}
	return " The endpoint's address names an operation already: remove /" + p.doubled + " from it, the client appends its own."
}

func (d *door) chat(w http.ResponseWriter, r *http.Request, p place, caller llm.Caller, body []byte) error {
	version := apiVersion(r)
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
			return encoder{reply.NewStreamEncoder(llm.OpChat, head(first, info), style)}
		})
	}
	answer, err := stream.Collect()
	if err != nil {
		return err
	}
	dialect.MetaHeaders(w.Header(), answer.Meta)
	d.JSON(w, http.StatusOK, reply.AppendChat(nil, answer, head(answer, info), style))
	return nil
}

// defaultMaxTokens is what a text completion without max_tokens may generate (doc/protocol.md §4.1).
const defaultMaxTokens = 256

func (d *door) complete(w http.ResponseWriter, r *http.Request, p place, caller llm.Caller, body []byte) error {
	c, err := d.contract(r, apiVersion(r), completeMembers, completeOpenAI)
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
			return encoder{reply.NewStreamEncoder(llm.OpComplete, head(first, info), reply.Style{Wire: llm.WireInference, UsageChunk: req.UsageChunk})}
		})
	}
	answer, err := stream.Collect()
	if err != nil {
		return err
	}
	dialect.MetaHeaders(w.Header(), answer.Meta)
	d.JSON(w, http.StatusOK, reply.AppendText(nil, answer, head(answer, info)))
	return nil
}

func (d *door) embed(w http.ResponseWriter, r *http.Request, p place, caller llm.Caller, body []byte) error {
	c, err := d.contract(r, apiVersion(r), embedMembers, embedOpenAI)
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
			return llm.Faulty(llm.Detail{Type: "value_error", Loc: []any{"body", "encoding_format"}, Msg: "Bits need a number of dimensions that 8 divides"})
		}
	}
	if answer.Model == "" {
		answer.Model = info.Model
	}
	dialect.MetaHeaders(w.Header(), answer.Meta)
	d.JSON(w, http.StatusOK, reply.AppendEmbed(nil, answer, dialect.NewID(), req.Encoding))
	return nil
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

// apiVersion is the last of the repeated values, since pasted addresses bring their own (doc/protocol.md §1.2).
func apiVersion(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	values := r.URL.Query()["api-version"]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// head is what an answer says of itself; the model's own words come first.
func head(first *llm.Reply, info llm.ModelInfo) reply.Head {
	h := reply.Head{ID: first.ID, Model: first.Model, Created: first.Created.Unix()}
	if h.ID == "" {
		h.ID = dialect.NewID()
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
