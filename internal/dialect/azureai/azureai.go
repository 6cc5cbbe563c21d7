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
	caller, err := d.Admit(r)
	if err != nil {
		return err
	}
	p, ok := locate(r.URL.EscapedPath())
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
	version, err := dialect.Version(query, d.StrictVersions, versions...)
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
	return d.Chat(w, r, req, &info, dialect.Form{Style: d.style(version, &info, req.UsageChunk), Fail: appendErrorFrame})
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
	return d.Complete(w, r, req, &info, dialect.Form{
		Style: reply.Style{Wire: llm.WireInference, UsageChunk: req.UsageChunk}, NewID: newTextID, Fail: appendErrorFrame,
	})
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
	return d.Embed(w, r, req, &info, dialect.Form{Style: reply.Style{Wire: llm.WireInference}})
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
