// Package route finds out who answers a request: it knows the deployments by name, leaves
// out or refuses what a target cannot do, and moves on to the next target where one fails
// before its answer has begun.
package route

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Deployment is one name that callers use and those who can answer under it.
type Deployment struct {
	// Targets are tried one after the other. There is at least one; the first one's Info
	// describes the deployment.
	Targets []Target
	// Order says in which order to try the targets for a request; nil: as they are listed.
	// It is called concurrently and must not change its argument.
	Order func([]Target) []Target
}

// Target is one backend that can answer for a deployment.
type Target struct {
	Backend llm.Backend
	Info    llm.ModelInfo
	Limits  Limits
	Weight  int // see Weighted
}

// Limits bound one attempt at a target; 0 is no limit.
type Limits struct {
	FirstToken time.Duration // until a chat or text completion begins
	Silence    time.Duration // between two pieces of a chat or text completion that has begun
	Total      time.Duration // until the whole answer is there
}

// Table is the immutable list of deployments: a Backend that expects a deployment's exact
// name as the request's Model, and the directory that doors look names up in. It may be
// used concurrently.
type Table struct {
	deployments []Deployment // in the order of the configuration
	exact       map[string]*Deployment
	folded      map[string]*Deployment
	preferred   string
	own         map[string]string // aliases in lower case
	gitHub      bool              // the aliases of GitHub Models
}

var _ llm.Backend = (*Table)(nil)

// New makes a table of deployments, whose order counts: see Default. Names are unique. An alias of none of them is none.
func New(deployments []Deployment, defaultModel string, aliases Aliases) *Table {
	t := &Table{
		deployments: slices.Clone(deployments),
		exact:       make(map[string]*Deployment, len(deployments)),
		folded:      make(map[string]*Deployment, len(deployments)),
		preferred:   defaultModel,
		own:         aliases.fold(),
		gitHub:      aliases.GitHubModels,
	}
	for i := range t.deployments {
		d := &t.deployments[i]
		d.Targets = slices.Clone(d.Targets)
		t.exact[d.info().Deployment] = d
		if name := strings.ToLower(d.info().Deployment); t.folded[name] == nil {
			t.folded[name] = d
		}
	}
	return t
}

func (d *Deployment) info() *llm.ModelInfo { return &d.Targets[0].Info }

func (d *Deployment) inOrder() []Target {
	if d.Order == nil {
		return d.Targets
	}
	return d.Order(d.Targets)
}

// Lookup finds a deployment by its exact name, else by its name in any case. The slices of
// the answer are shared and read-only.
func (t *Table) Lookup(name string) (llm.ModelInfo, bool) {
	d := t.exact[name]
	if d == nil {
		d = t.folded[strings.ToLower(name)]
	}
	if d == nil {
		return llm.ModelInfo{}, false
	}
	return *d.info(), true
}

// Default finds who answers an operation where the caller names no one: the default model
// if it can, else the first deployment that can.
func (t *Table) Default(op llm.Operation) (llm.ModelInfo, bool) {
	if m, ok := t.Lookup(t.preferred); ok && m.Does(op) {
		return m, true
	}
	for i := range t.deployments {
		if m := t.deployments[i].info(); m.Does(op) {
			return *m, true
		}
	}
	return llm.ModelInfo{}, false
}

// List describes all deployments in the order of the configuration.
func (t *Table) List() []llm.ModelInfo {
	ms := make([]llm.ModelInfo, len(t.deployments))
	for i := range t.deployments {
		ms[i] = *t.deployments[i].info()
	}
	return ms
}

// Models is List.
func (t *Table) Models(context.Context) ([]llm.ModelInfo, error) { return t.List(), nil }

// Chat answers from the deployment that the request names.
func (t *Table) Chat(ctx context.Context, req *llm.ChatRequest) llm.Stream {
	return stream(ctx, t, llm.OpChat, req, &req.Envelope, llm.Backend.Chat)
}

// Complete answers from the deployment that the request names.
func (t *Table) Complete(ctx context.Context, req *llm.CompleteRequest) llm.Stream {
	return stream(ctx, t, llm.OpComplete, req, &req.Envelope, llm.Backend.Complete)
}

// Embed answers from the deployment that the request names.
func (t *Table) Embed(ctx context.Context, req *llm.EmbedRequest) (*llm.EmbedReply, error) {
	var reply llm.EmbedReply
	err := each(ctx, t, req.Operation(), req, &req.Envelope,
		func(to *Target, r *llm.EmbedRequest, meta llm.Meta) (bool, error) {
			var c clock
			c.start(ctx, &to.Info, Limits{Total: to.Limits.Total})
			defer c.stop()
			got, err := to.Backend.Embed(c.ctx, r)
			if err != nil {
				return false, c.blame(err)
			}
			reply = *got
			reply.Meta = join(meta, got.Meta)
			return true, nil
		})
	if err != nil {
		return nil, err
	}
	return &reply, nil
}

func unknown(name string) error {
	return &llm.Error{Kind: llm.UnknownModel, Message: fmt.Sprintf("Unknown model: %.200s", name), Param: "model"}
}
