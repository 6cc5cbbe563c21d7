package azureai

import (
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Endpoint gives the root the manners of a managed online endpoint (doc/protocol.md §8.2).
type Endpoint struct {
	Name string // azureml-model-group of its answers
	// Traffic are the shares of deployments in the requests that name none, in any unit. What none of them does goes to the
	// default of the operation, and where all shares are 0, nothing is served. Empty: no split.
	Traffic map[string]int
	Sticky  bool        // requests with the same x-ms-client-request-id go to the same deployment
	Seed    uint64      // of the draw; 0: another one each time
	Backend llm.Backend // who answers at the root; nil: whoever answers everywhere
}

// draw picks a deployment for each request. It is used concurrently.
type draw struct {
	names  []string // in order, so that a seed draws the same each time
	shares map[string]int
	sticky bool
	seed   uint64

	mu   sync.Mutex // guards rand
	rand *rand.Rand
}

func newDraw(e *Endpoint) *draw {
	seed := e.Seed
	if seed == 0 {
		seed = rand.Uint64() //nolint:gosec // a draw, not a secret
	}
	return &draw{
		names: slices.Sorted(maps.Keys(e.Traffic)), shares: e.Traffic, sticky: e.Sticky, seed: e.Seed,
		rand: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // a draw, not a secret
	}
}

// pick draws among the deployments that do the operation; false where none of those with a share does.
func (d *draw) pick(models dialect.Directory, op llm.Operation, id string) (llm.ModelInfo, bool, error) {
	var able []llm.ModelInfo
	var ends []int // where the share of each ends
	all, total := 0, 0
	for _, name := range d.names {
		share := max(0, d.shares[name])
		all += share
		if m, ok := models.Lookup(name); ok && m.Does(op) && share > 0 {
			total += share
			able, ends = append(able, m), append(ends, total)
		}
	}
	switch {
	case all == 0 && len(d.names) > 0:
		return llm.ModelInfo{}, false, &llm.Error{
			Kind:    llm.NoDeployment,
			Message: "No deployment of this endpoint gets traffic. Name one in the header azureml-model-deployment, or give one a share (endpoint.traffic).",
		}
	case len(able) == 0:
		return llm.ModelInfo{}, false, nil
	}
	at := d.number(total, id)
	return able[slices.IndexFunc(ends, func(end int) bool { return at < end })], true, nil
}

// number draws one below n: by chance, or always the same for a request's id.
func (d *draw) number(n int, id string) int {
	if d.sticky && id != "" {
		h := fnv.New64a()
		_, _ = h.Write([]byte(id))                              // never fails
		return rand.New(rand.NewPCG(h.Sum64(), d.seed)).IntN(n) //nolint:gosec // a draw, not a secret
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}
