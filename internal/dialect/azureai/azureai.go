// Package azureai is the door that Ingot exists for: Azure AI Model Inference (doc/protocol.md
// §§1–7), at these paths.
//
//	/…                         the root, as a serverless endpoint, or as a managed one
//	/models/…                  as a Foundry resource
//	/inference/…               as GitHub Models had it, also below /orgs/{org}
//	/deployments/{name}/…      each deployment's own serverless root
//
//	GET  …/info
//	POST …/chat/completions
//	POST …/completions
//	POST …/embeddings
//	POST …/images/embeddings
//
//	GET  /catalog/models       GitHub Models' list
//	POST /score                at a managed endpoint
package azureai

import (
	"errors"
	"net/http"
	"net/url"

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
	Endpoint        *Endpoint          // nil: the root is no managed endpoint
}

type door struct {
	Options
	root dialect.Options // of the root
	draw *draw
}

// Handler serves the door.
func Handler(o Options) http.Handler {
	d := &door{Options: o, root: o.Options}
	if o.Endpoint != nil {
		d.draw = newDraw(o.Endpoint)
		if o.Endpoint.Backend != nil {
			d.root.Backend = o.Endpoint.Backend
		}
	}
	return o.Serve(d.serve, d.writeError)
}

func (d *door) serve(w http.ResponseWriter, r *http.Request) error {
	caller, err := d.Admit(r)
	if err != nil {
		return err
	}
	p, ok := d.locate(r.URL.EscapedPath())
	if !ok {
		return noRoute(p, r.URL.EscapedPath())
	}
	if answered, err := dialect.Method(w, r, p.operation, methods[p.operation]); answered || err != nil {
		return err
	}
	var query url.Values
	if r.URL.RawQuery != "" {
		query = r.URL.Query()
	}
	if p.operation == "catalog/models" {
		return d.catalog(w, r)
	}
	version, err := dialect.Version(query, d.StrictVersions && p.operation != "score", "2024-05-01-preview", versions...)
	if err != nil {
		return err
	}
	if p.operation == "info" {
		return d.info(w, r, p, dialect.Last(query, "model"))
	}
	body, err := d.Body(w, r)
	if err != nil {
		return err
	}
	c := call{w, r, p, version, caller, body}
	switch p.operation {
	case "chat/completions":
		err = d.chat(c)
	case "completions":
		err = d.complete(c)
	case "score":
		err = d.score(c)
	case "images/embeddings":
		err = d.embed(c, llm.OpEmbedImages, request.DecodeEmbedImages)
	default:
		err = d.embed(c, llm.OpEmbed, request.DecodeEmbed)
	}
	if e, ok := errors.AsType[*llm.Error](err); ok && len(e.Details) > 0 {
		return request.WithInputs(e, body)
	}
	return err
}

// call is a request whose body has been read.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	place   place
	version string
	caller  llm.Caller
	body    []byte
}

// asked are the options that answer at a place.
func (d *door) asked(p place) *dialect.Options {
	if p.base == "" {
		return &d.root
	}
	return &d.Options.Options
}

func (d *door) chat(c call) error {
	contract, err := d.contract(c.r, c.place, c.version, chatMembers, chatOpenAI)
	if err != nil {
		return err
	}
	req, err := request.DecodeChat(c.body, contract)
	if err != nil {
		return err
	}
	info, err := d.resolve(c.w, c.r, c.place, llm.OpChat, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, c.caller
	style := d.style(c.version, &info, req.UsageChunk)
	style.NamedStop = c.place.flavour == gitHub
	return d.asked(c.place).Chat(c.w, c.r, req, &info, dialect.Form{Style: style, Fail: c.place.flavour.appendErrorFrame})
}

// defaultMaxTokens is what a text completion without max_tokens may generate (doc/protocol.md §4.1).
const defaultMaxTokens = 256

func (d *door) complete(c call) error {
	contract, err := d.contract(c.r, c.place, c.version, completeMembers, completeOpenAI)
	if err != nil {
		return err
	}
	req, err := request.DecodeComplete(c.body, contract)
	if err != nil {
		return err
	}
	info, err := d.resolve(c.w, c.r, c.place, llm.OpComplete, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, c.caller
	req.LimitTokens(defaultMaxTokens)
	return d.asked(c.place).Complete(c.w, c.r, req, &info, dialect.Form{
		Style: reply.Style{Wire: llm.WireInference, UsageChunk: req.UsageChunk}, NewID: newTextID, Fail: c.place.flavour.appendErrorFrame,
	})
}

func (d *door) embed(c call, op llm.Operation, decode func([]byte, request.Contract) (*llm.EmbedRequest, error)) error {
	contract, err := d.contract(c.r, c.place, c.version, embedMembers, embedOpenAI)
	if err != nil {
		return err
	}
	req, err := decode(c.body, contract)
	if err != nil {
		return err
	}
	info, err := d.resolve(c.w, c.r, c.place, op, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, c.caller
	return d.asked(c.place).Embed(c.w, c.r, req, &info, dialect.Form{Style: reply.Style{Wire: llm.WireInference}})
}

// style is how a chat answer is written: reasoning by the deployment, the configuration, or the
// api-version (doc/protocol.md §3.7), none counting as 2024-05-01-preview.
func (d *door) style(version string, info *llm.ModelInfo, usageChunk bool) reply.Style {
	place := llm.ReasoningContent
	if version >= "2025-04-01" {
		place = llm.ReasoningField
	}
	return reply.Style{Wire: llm.WireInference, Reasoning: dialect.ReasoningPlace(info, d.Reasoning, place), UsageChunk: usageChunk}
}

// newTextID makes the id of a text completion (doc/protocol.md §4.2).
func newTextID() string { return "cmpl-" + dialect.NewID() }
