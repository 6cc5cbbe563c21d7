package conformance_test

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/conformance"
	"github.com/ingot-llm/ingot/internal/conformance/report"
)

func TestTheMockKeepsTheWholeContract(t *testing.T) {
	t.Parallel()
	for name, base := range map[string]string{"at the root": "", "below /models": "/models", "below a deployment": "/deployments/chat"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options()
			if name == "below a deployment" {
				// There it is one model, whatever a request names.
				o.Without = []string{"embeddings", "reasoning", "failing"}
				o.Embedding = ""
			}
			r := examine(t, endpoint+base, o)
			tell(t, r)
			if n := r.Count(report.LeftOut); o.Without == nil && n > 0 {
				t.Errorf("%d checks were left out: %v", n, outcomes(r, report.LeftOut))
			}
		})
	}
}

func TestWhatIsNotSaidIsLeftOut(t *testing.T) {
	t.Parallel()
	o := options()
	o.LimitedKey, o.FilterPrompt, o.Chat, o.Completion, o.Embedding, o.Reasoning, o.Failing = "", "", "", "", "", "", ""
	r := examine(t, endpoint, o)
	tell(t, r)
	out := outcomes(r, report.LeftOut)
	for _, name := range []string{"limits/status", "filter/prompt", "reasoning/field", "chat/stream/late-error", "model/case"} {
		if !slices.Contains(out, name) {
			t.Errorf("%s was not left out", name)
		}
	}
	if slices.ContainsFunc(out, func(n string) bool { return strings.HasPrefix(n, "embeddings/answer") }) {
		t.Error("embeddings are there, and were left out")
	}
}

func TestTheProxyItselfBreaksNothing(t *testing.T) {
	t.Parallel()
	tell(t, examine(t, proxy(t, func(*exchange) {})+"/models", options()))
}

func TestAStreamThatIsHeldBackIsNoticed(t *testing.T) {
	t.Parallel()
	o := options()
	o.Chat, o.Only = "slow", "chat/stream/flushed"
	tell(t, examine(t, endpoint, o))
	// The proxy reads all of an answer before it sends any.
	if r := examine(t, proxy(t, func(*exchange) {}), o); r.Count(report.Weak) != 1 {
		t.Errorf("a proxy that holds streams back was not noticed: %v", outcomes(r, report.OK))
	}
}

// tell reports what was violated.
func tell(t *testing.T, r *report.Report) {
	t.Helper()
	for i := range r.Results {
		if res := &r.Results[i]; len(res.Faults) > 0 {
			t.Errorf("%s: %s", res.Check.Name, strings.Join(res.Faults, "; "))
		}
	}
}

func TestEachBreakageIsNoticedByTheCheckThatNamesIt(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, b := range breakages() {
		if seen[b.name] {
			t.Errorf("two breakages are called %q", b.name)
		}
		seen[b.name] = true
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			o := options()
			o.Only = path.Dir(b.check)
			r := examine(t, proxy(t, b.spoil)+"/models", o)
			if noticed := outcomes(r, report.Failed, report.Weak); !slices.Contains(noticed, b.check) {
				t.Errorf("%s did not notice; what did: %v", b.check, noticed)
			}
		})
	}
	const least = 60
	if len(seen) < least {
		t.Errorf("%d breakages, want %d", len(seen), least)
	}
}

// What all streams have in common is spoiled in all of them.
func TestStreamsOfTextsAreReadAsStrictlyAsThoseOfChats(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range conformance.Checks() {
		known[c.Name] = true
	}
	count := 0
	for _, b := range slices.Concat(frames(), chunks()) {
		name := strings.Replace(b.check, "chat/", "completions/", 1)
		if !known[name] {
			continue
		}
		count++
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			o := options()
			o.Only = path.Dir(name)
			if noticed := outcomes(examine(t, proxy(t, b.spoil)+"/models", o), report.Failed, report.Weak); !slices.Contains(noticed, name) {
				t.Errorf("%s did not notice; what did: %v", name, noticed)
			}
		})
	}
	const least = 30
	if count < least {
		t.Errorf("%d breakages, want %d", count, least)
	}
}

func TestAServerThatTakesEverythingIsNoticedByEveryCheckOfValues(t *testing.T) {
	t.Parallel()
	r := examine(t, proxy(t, func(x *exchange) {
		if x.status >= http.StatusBadRequest && x.status < http.StatusInternalServerError && x.method == http.MethodPost {
			x.grant()
		}
	})+"/models", options())
	noticed := outcomes(r, report.Failed, report.Weak)
	for i := range r.Results {
		name := r.Results[i].Check.Name
		refuses := strings.HasPrefix(name, "values/") || strings.Contains(name, "/values/") || strings.HasSuffix(name, "/refused") ||
			slices.Contains([]string{
				"body/malformed", "body/array", "body/null", "body/blank", "body/second-document", "body/duplicate-member", "body/not-utf8",
				"body/deep", "body/coding", "body/media-type", "body/too-large", "versions/malformed", "model/deployment-header",
			}, name)
		if refuses && !slices.Contains(noticed, name) {
			t.Errorf("%s did not notice", name)
		}
	}
}

func TestAServerThatRefusesEverythingIsNoticedByEveryCheckThatTakes(t *testing.T) {
	t.Parallel()
	r := examine(t, proxy(t, func(x *exchange) {
		// What the server is known by, and the plainest requests, are answered.
		if x.status == http.StatusOK && x.method == http.MethodPost && x.query != "" && !slices.Contains([]float64{1, 2}, numberOf(x.sent["max_tokens"])) {
			x.refuse(http.StatusInternalServerError, "500")
		}
	})+"/models", options())
	noticed := outcomes(r, report.Failed, report.Weak)
	for i := range r.Results {
		name := r.Results[i].Check.Name
		takes := strings.HasPrefix(name, "chat/answer/") || strings.HasPrefix(name, "chat/stream/") || strings.HasPrefix(name, "tools/") ||
			strings.HasPrefix(name, "format/") || strings.HasPrefix(name, "reasoning/") || strings.HasPrefix(name, "completions/answer/") ||
			strings.HasPrefix(name, "embeddings/answer/") || strings.HasPrefix(name, "embeddings/encoding/") || strings.HasPrefix(name, "embeddings/input/") ||
			strings.HasPrefix(name, "images/answer/")
		if takes && !slices.Contains(noticed, name) && !strings.HasSuffix(name, "/refused") && !strings.HasSuffix(name, "-without-version") {
			t.Errorf("%s did not notice", name)
		}
	}
}

func numberOf(v any) float64 {
	n, _ := v.(float64)
	return n
}

func TestEveryGroupOfChecksNoticesSomething(t *testing.T) {
	t.Parallel()
	groups := map[string]bool{}
	for _, b := range breakages() {
		group, _, _ := strings.Cut(b.check, "/")
		groups[group] = true
	}
	got := map[string]bool{}
	o := options()
	r := examine(t, endpoint+"/models", o)
	for i := range r.Results {
		got[r.Results[i].Check.Group()] = true
	}
	if diff := cmp.Diff(got, groups); diff != "" {
		t.Errorf("groups of checks (-there +broken):\n%s", diff)
	}
}
