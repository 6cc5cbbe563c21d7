package route_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/route"
)

// seeded is a source of random numbers for many goroutines.
func seeded() func(int) int {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(1, 2))
	return func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return r.IntN(n)
	}
}

// weighted is a deployment of targets that play the scripts.
func weighted(weights []int, scripts ...string) route.Deployment {
	d := deployment(llm.Features{}, route.Limits{}, scripts...)
	for i := range d.Targets {
		d.Targets[i].Weight = weights[i]
	}
	d.Order = route.Weighted(seeded())
	return d
}

// firsts counts how often each of n targets is asked first, and in which order the last ones were.
func firsts(d route.Deployment, rounds int) (counts map[string]int, orders map[string]int) {
	counts, orders = map[string]int{}, map[string]int{}
	for range rounds {
		var names []string
		for _, target := range d.Order(d.Targets) {
			names = append(names, target.Info.Provider)
		}
		counts[names[0]]++
		orders[strings.Join(names, " ")]++
	}
	return counts, orders
}

func TestTargetsAreAskedFirstAsOftenAsTheirWeightSays(t *testing.T) {
	t.Parallel()
	const rounds = 10_000
	counts, orders := firsts(weighted([]int{3, 0, 1, 0}, "stop", "stop", "stop", "stop"), rounds)
	for name, share := range map[string]float64{"t1": 0.75, "t2": 0, "t3": 0.25, "t4": 0} {
		const sigmas = 4
		if far := math.Abs(float64(counts[name]) - share*rounds); far > sigmas*math.Sqrt(rounds*share*(1-share)) {
			t.Errorf("%s was first %d times of %d, want about %.0f", name, counts[name], rounds, share*rounds)
		}
	}
	if len(orders) != 2 || orders["t1 t3 t2 t4"] == 0 || orders["t3 t1 t2 t4"] == 0 {
		t.Errorf("orders %v", orders)
	}
}

func TestTheNextTargetIsAskedWhoeverWasFirst(t *testing.T) {
	t.Parallel()
	const rounds = 200
	rt := table(weighted([]int{1, 1, 0}, "!upstream", "role !limited", "+c stop"))
	var all sync.WaitGroup
	for range rounds {
		all.Go(func() {
			if got, want := saw(rt.Chat(t.Context(), chat())), "+c (d t3/3) stop"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	all.Wait()
}

func TestWithoutWeightsTheOrderOfTheListCounts(t *testing.T) {
	t.Parallel()
	_, orders := firsts(weighted([]int{0, 0, 0}, "stop", "stop", "stop"), 100)
	if len(orders) != 1 || orders["t1 t2 t3"] == 0 {
		t.Errorf("orders %v", orders)
	}
}
