// Package openai is the doors of those who call OpenAI (doc/protocol.md §§8.5, 9): OpenAI v1, and the deployments of Azure
// OpenAI. Both take the same members and answer with the same bytes; they differ in how a path names the model, in errors, and
// in the list of models.
//
//	/openai/deployments/{name}/…  Azure OpenAI
//	/openai/models[/{id}], /openai/responses[/…]
//	/v1/…                         OpenAI v1
//	/openai/v1/…                  the same, as Azure serves it
//
//	POST …/chat/completions
//	POST …/completions
//	POST …/embeddings
//	GET  …/models[/{id}]
//	POST …/responses[/…]
package openai

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/reply"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// Responses answers what is asked below …/responses. Errors are *llm.Error, for which nothing was written yet; their Param is
// the path of the member at fault.
type Responses interface {
	// Create answers a POST; resolve finds the deployment that a model's name means.
	Create(w http.ResponseWriter, r *http.Request, caller llm.Caller, body []byte, resolve func(model string) (llm.ModelInfo, error)) error
	// Item answers for a response that was made; rest is what follows …/responses/, unescaped.
	Item(w http.ResponseWriter, r *http.Request, caller llm.Caller, rest []string) error
}

// Options is what these doors can be told.
type Options struct {
	dialect.Options
	LegacyExtras    bool               // the old words ignore and allow (doc/protocol.md §3.6)
	StrictVersions  bool               // Azure OpenAI needs an api-version (doc/protocol.md §1.3)
	IgnoreUnknown   bool               // leave out members that the contract does not have, instead of refusing them
	StrictReasoning bool               // refuse what the service refuses for models that reason (doc/protocol.md §8.5.2)
	Annotations     bool               // tell what a filter found, where one really ran (doc/protocol.md §8.5.1)
	Reasoning       llm.ReasoningPlace // for deployments that do not say
	Responses       Responses          // nil: there are none
}

type door struct{ Options }

// Handler serves the doors.
func Handler(o Options) http.Handler {
	d := &door{o}
	return o.Serve(d.serve, d.writeError)
}

func (d *door) serve(w http.ResponseWriter, r *http.Request) error {
	caller, err := d.Admit(r)
	if err != nil {
		return err
	}
	p, ok := locate(dialect.Segments(r.URL.EscapedPath()))
	if !ok || p.operation == opResponses && d.Responses == nil {
		return noRoute(p, r)
	}
	if p.operation != opResponses || len(p.rest) == 0 { // what one of them takes is theirs to say
		if answered, err := dialect.Method(w, r, p.operation, p.method()); answered || err != nil {
			return err
		}
	}
	query := url.Values{}
	if r.URL.RawQuery != "" {
		query = r.URL.Query()
	}
	q := &question{door: d, place: p, caller: caller, version: dialect.Last(query, "api-version")}
	if p.wire == llm.WireAzure {
		if q.version, err = dialect.Version(query, d.StrictVersions, "2024-10-21"); err != nil {
			return err
		}
	}
	switch {
	case p.operation == opModels:
		return q.models(w)
	case p.operation == opResponses && len(p.rest) > 0:
		return d.Responses.Item(w, r, caller, p.rest)
	}
	body, err := d.Body(w, r)
	if err != nil {
		return err
	}
	switch p.operation {
	case opChat:
		err = q.chat(w, r, body)
	case opComplete:
		err = q.complete(w, r, body)
	case opEmbed:
		err = q.embed(w, r, body)
	default:
		err = d.Responses.Create(w, r, caller, body, func(model string) (llm.ModelInfo, error) { return q.resolve(llm.OpChat, model) })
	}
	if e, ok := errors.AsType[*llm.Error](err); ok && len(e.Details) > 0 {
		return request.WithInputs(e, body)
	}
	return err
}

// question is a request that was admitted, at a place that is served.
type question struct {
	*door
	place
	caller  llm.Caller
	version string
}

func (q *question) chat(w http.ResponseWriter, r *http.Request, body []byte) error {
	c, err := q.contract(r, chatMembers)
	if err != nil {
		return err
	}
	req, err := request.DecodeChat(body, c)
	if err != nil {
		return err
	}
	info, err := q.resolve(llm.OpChat, req.Model)
	if err != nil {
		return err
	}
	if q.StrictReasoning && info.Features.Has(llm.FeatureEffort) {
		if err := refuseSampling(req); err != nil {
			return err
		}
	}
	req.Model, req.Caller = info.Deployment, q.caller
	style := q.style(req.UsageChunk)
	style.Reasoning = dialect.ReasoningPlace(&info, q.Reasoning, llm.ReasoningField)
	return q.Chat(w, r, req, &info, q.form(style, "chatcmpl-"))
}

// defaultMaxTokens is what a text completion without max_tokens may generate (doc/protocol.md §4.1).
const defaultMaxTokens = 16

func (q *question) complete(w http.ResponseWriter, r *http.Request, body []byte) error {
	c, err := q.contract(r, completeMembers)
	if err != nil {
		return err
	}
	req, err := request.DecodeComplete(body, c)
	if err != nil {
		return err
	}
	info, err := q.resolve(llm.OpComplete, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, q.caller
	req.LimitTokens(defaultMaxTokens)
	return q.Complete(w, r, req, &info, q.form(q.style(req.UsageChunk), "cmpl-"))
}

func (q *question) embed(w http.ResponseWriter, r *http.Request, body []byte) error {
	c, err := q.contract(r, embedMembers)
	if err != nil {
		return err
	}
	req, err := request.DecodeEmbed(body, c)
	if err != nil {
		return err
	}
	info, err := q.resolve(llm.OpEmbed, req.Model)
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, q.caller
	return q.Embed(w, r, req, &info, q.form(q.style(false), ""))
}

func (q *question) style(usageChunk bool) reply.Style {
	return reply.Style{Wire: q.wire, UsageChunk: usageChunk, NamedStop: true, Annotations: q.Annotations}
}

// form is how the answer is written; its id is the prefix and 29 characters (doc/protocol.md §3.5).
func (q *question) form(s reply.Style, prefix string) dialect.Form {
	const size = 29
	return dialect.Form{
		Style: s, Fail: q.appendErrorFrame,
		NewID: func() string {
			id := dialect.NewID()
			return prefix + id[len(id)-size:]
		},
	}
}

// resolve finds the deployment (doc/protocol.md §8.6): by the path, or else by the member model.
func (q *question) resolve(op llm.Operation, model string) (llm.ModelInfo, error) {
	switch {
	case q.deployment != "":
		if info, ok := q.Models.Resolve(q.deployment, op); ok {
			return info, nil
		}
		advice := " " + q.Deployments()
		if q.doubled != "" {
			advice = q.hint()
		}
		return llm.ModelInfo{}, &llm.Error{Kind: llm.NoDeployment, Message: "The API deployment '" + dialect.Clip(q.deployment) + "' for this resource does not exist." + advice}
	case model != "":
		if info, ok := q.Models.Resolve(model, op); ok {
			return info, nil
		}
		return llm.ModelInfo{}, q.unknown(model)
	case q.version != "": // an SDK of Model Inference, which thinks that the address decides
		if info, ok := q.Models.Default(op); ok {
			return info, nil
		}
	}
	return llm.ModelInfo{}, &llm.Error{Kind: llm.NoModel, Param: "model", Message: "Missing required parameter: 'model'. " + q.Deployments()}
}

// unknown is the error of a model that is not there.
func (q *question) unknown(model string) error {
	name := dialect.Clip(model)
	if q.wire == llm.WireAzure || q.ofAzure {
		return &llm.Error{Kind: llm.NoDeployment, Param: "model", Message: "The API deployment '" + name + "' for this resource does not exist. " + q.Deployments()}
	}
	return &llm.Error{Kind: llm.UnknownModel, Param: "model", Message: "The model '" + name + "' does not exist or you do not have access to it. " + q.Deployments()}
}
