package openapi_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/dialect/openai"
	"github.com/ingot-llm/ingot/internal/openapi"
)

// routes is what all doors serve.
func routes() []dialect.Route {
	return append(slices.Concat(azureai.Routes(true), openai.Routes()),
		dialect.Route{Method: http.MethodGet, Path: "/openapi.json", Operation: "openapi"},
		dialect.Route{Method: http.MethodGet, Path: "/swagger.json", Operation: "openapi"})
}

type schema struct {
	Ref string `json:"$ref"`
}

type described struct {
	OpenAPI string
	Info    struct{ Version string }
	Paths   map[string]map[string]struct {
		OperationID string
		Parameters  []map[string]any
		RequestBody *struct {
			Content map[string]struct{ Schema schema }
		}
		Responses map[string]struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components map[string]map[string]any
}

func document(t *testing.T, of []dialect.Route) (described, []byte) {
	t.Helper()
	b, err := openapi.Document(of, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var d described
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d, b
}

func TestTheDocumentHasWhatIsRoutedAndNothingElse(t *testing.T) {
	t.Parallel()
	d, _ := document(t, routes())
	var want, got []string
	for _, r := range routes() {
		want = append(want, r.Method+" "+r.Path)
	}
	for path, methods := range d.Paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	if d.OpenAPI != "3.1.0" || d.Info.Version != "1.2.3" {
		t.Errorf("the document is of OpenAPI %s and version %s", d.OpenAPI, d.Info.Version)
	}
}

func TestEachOperationHasANameOfItsOwnAndTheVariablesOfItsPath(t *testing.T) {
	t.Parallel()
	d, _ := document(t, routes())
	seen := map[string]string{}
	variable := regexp.MustCompile(`\{([^}]+)\}`)
	for path, methods := range d.Paths {
		for method, op := range methods {
			if other, taken := seen[op.OperationID]; taken || op.OperationID == "" {
				t.Errorf("%s %s is called %q, as is %s", method, path, op.OperationID, other)
			}
			seen[op.OperationID] = method + " " + path
			var want, got []string
			for _, m := range variable.FindAllStringSubmatch(path, -1) {
				want = append(want, m[1])
			}
			for _, p := range op.Parameters {
				if p["in"] == "path" {
					got = append(got, p["name"].(string)) //nolint:forcetypeassert // a name that is none fails the test
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("variables of %s (-want +got):\n%s", path, diff)
			}
		}
	}
}

func TestEachDoorHasItsOwnSchemas(t *testing.T) {
	t.Parallel()
	d, _ := document(t, routes())
	for _, test := range []struct{ path, request, answer string }{
		{"/chat/completions", "ChatRequest", "ChatCompletion"},
		{"/models/embeddings", "EmbeddingRequest", "Embeddings"},
		{"/inference/images/embeddings", "ImageEmbeddingRequest", "ImageEmbeddings"},
		{"/openai/deployments/{deployment}/chat/completions", "OpenAIChatRequest", "ChatCompletion"},
		{"/v1/embeddings", "OpenAIEmbeddingRequest", "OpenAIEmbeddings"},
		{"/openai/v1/responses", "ResponseRequest", "Response"},
	} {
		op := d.Paths[test.path]["post"]
		const prefix = "#/components/schemas/"
		if got := op.RequestBody.Content["application/json"].Schema.Ref; got != prefix+test.request {
			t.Errorf("%s takes %s, not %s", test.path, got, test.request)
		}
		if got := op.Responses["200"].Content["application/json"].Schema.Ref; got != prefix+test.answer {
			t.Errorf("%s answers %s, not %s", test.path, got, test.answer)
		}
		_, unprocessable := op.Responses["422"]
		if inference := !strings.Contains(test.path, "/v1/") && !strings.Contains(test.path, "/openai/"); unprocessable != inference {
			t.Errorf("%s answers 422: %t", test.path, unprocessable)
		}
	}
}

func TestWhatIsReferredToIsThere(t *testing.T) {
	t.Parallel()
	d, raw := document(t, routes())
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/([a-z]+)/([^"]+)"`).FindAllStringSubmatch(string(raw), -1) {
		used[m[1]+" "+m[2]] = true
		if d.Components[m[1]][m[2]] == nil {
			t.Errorf("the document has no component %s/%s", m[1], m[2])
		}
	}
	for _, kind := range []string{"schemas", "parameters", "headers", "responses"} {
		for name := range d.Components[kind] {
			if !used[kind+" "+name] {
				t.Errorf("nothing refers to the component %s/%s", kind, name)
			}
		}
	}
}

func TestTheDocumentItselfIsOpenToEverybody(t *testing.T) {
	t.Parallel()
	var d struct {
		Security []any
		Paths    map[string]map[string]struct {
			Security  []any
			Responses map[string]any
		}
	}
	_, raw := document(t, routes())
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	op := d.Paths["/swagger.json"]["get"]
	if len(d.Security) != 2 || op.Security == nil || len(op.Security) != 0 {
		t.Errorf("the document needs %v, its own path %v", d.Security, op.Security)
	}
	if len(op.Responses) != 1 {
		t.Errorf("it answers in %d ways", len(op.Responses))
	}
}

func TestTheSameRoutesGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	_, first := document(t, routes())
	other := routes()
	slices.Reverse(other)
	if _, second := document(t, other); string(first) != string(second) {
		t.Error("the document depends on the order of the routes or on chance")
	}
}

func TestARouteThatNothingIsKnownOfIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, r := range []dialect.Route{
		{Method: http.MethodPost, Path: "/dance", Operation: "dance"},
		{Method: http.MethodPost, Path: "/v1/images/embeddings", Operation: "images/embeddings"},
	} {
		if _, err := openapi.Document([]dialect.Route{r}, ""); err == nil || !strings.Contains(err.Error(), r.Path) {
			t.Errorf("%s: %v", r.Path, err)
		}
	}
}
