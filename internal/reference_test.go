package internal_test

import (
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/conformance"
	"github.com/ingot-llm/ingot/internal/conformance/report"
	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/dialect/openai"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/provider"
	"github.com/ingot-llm/ingot/internal/route"
)

// What doc/ says of the code's own tables is written by the code; `make generate` does it.
//
//go:generate go test -run ^TestTheReference -update .
var update = flag.Bool("update", false, "write the generated parts of doc/ instead of comparing them")

func TestTheReferenceOfTheConfigurationIsUpToDate(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	section(&b, "The root", reflect.TypeFor[config.Config](), "")
	generated(t, "../doc/configuration.md", b.String())
}

func TestTheReferenceOfTheSchemaIsUpToDate(t *testing.T) {
	t.Parallel()
	same(t, "../doc/reference/ingot.schema.json", string(config.Schema()))
}

func TestTheReferenceOfTheErrorsIsUpToDate(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| Kind | Door | Status | Code | `type` | Headers | When |\n|---|---|---|---|---|---|---|\n")
	for kind, when := range kinds(t) {
		for _, door := range doors {
			answer := ask(door.handler, door.path, &llm.Error{Kind: llm.Kind(kind), Message: "test", RetryAfter: time.Second})
			unknown := ask(door.handler, door.path, &llm.Error{Kind: llm.Kind(kind), Message: "test"})
			var typ string
			if _, rest, ok := strings.Cut(answer.Body.String(), `"type":`); ok {
				typ, _, _ = strings.Cut(rest, ",")
			}
			fmt.Fprintf(&b, "| %s | %s | %d | `%s` | `%s` | %s | %s |\n",
				when.name, door.name, answer.Code, answer.Header().Get("x-ms-error-code"), strings.Trim(typ, `"`),
				signs(answer.Header(), unknown.Header()), cell(when.comment))
		}
	}
	generated(t, "../doc/reference/errors.md", b.String())
}

// doors are those that the table of errors is about.
var doors = []struct {
	name, path string
	handler    func(dialect.Options) http.Handler
}{
	{"Model Inference", "/chat/completions", func(o dialect.Options) http.Handler { return azureai.Handler(azureai.Options{Options: o}) }},
	{"Azure OpenAI", "/openai/deployments/m/chat/completions", openAI},
	{"OpenAI v1", "/v1/chat/completions", openAI},
}

func openAI(o dialect.Options) http.Handler { return openai.Handler(openai.Options{Options: o}) }

// signs are the headers of an error that tell a client what to do, where it is known when to try again and where it is not.
func signs(known, unknown http.Header) string {
	var list []string
	for _, name := range []string{"Retry-After", "Retry-After-Ms", "X-Should-Retry", "Www-Authenticate"} {
		value := func(h http.Header) string {
			switch v := h.Get(name); {
			case v == "":
				return ""
			case strings.HasPrefix(name, "Retry-After"):
				return "`" + strings.ToLower(name) + "`"
			default:
				return "`" + strings.ToLower(name) + ": " + v + "`"
			}
		}
		switch with, without := value(known), value(unknown); {
		case with == without && with != "":
			list = append(list, with)
		case with != "":
			list = append(list, with+" where the time is known")
		case without != "":
			list = append(list, without+" where it is not")
		}
	}
	return strings.Join(list, ", ")
}

func TestTheReferenceOfTheFlavoursIsUpToDate(t *testing.T) {
	t.Parallel()
	words := []struct {
		feature llm.Feature
		name    string
	}{
		{llm.FeatureN, "`n`"},
		{llm.FeatureLogprobs, "`logprobs`"},
		{llm.FeatureLogitBias, "`logit_bias`"},
		{llm.FeatureParallelTools, "`parallel_tool_calls`"},
		{llm.FeatureEffort, "`reasoning_effort`"},
		{llm.FeatureTools, "`tools`"},
		{llm.FeatureFormat, "`response_format`"},
		{llm.FeatureImages, "images"},
		{llm.FeatureAudio, "audio"},
		{llm.FeatureAudioOutput, "`modalities` with audio"},
		{llm.FeatureSuffix, "`suffix`"},
		{llm.FeatureEcho, "`echo`"},
		{llm.FeatureBestOf, "`best_of`"},
		{llm.FeatureTokens, "token ids"},
		{llm.FeatureInputType, "`input_type`"},
		{llm.FeaturePrefix, "`prefix`"},
		{llm.FeaturePairs, "a text with an image to embed"},
		{llm.FeatureOpaque, "parts of other types"},
	}
	var b strings.Builder
	b.WriteString("| `flavour` | Not asked for |\n|---|---|\n")
	for _, name := range provider.Flavours() {
		lacks, _ := provider.Lacks(name)
		var said []string
		for _, w := range words {
			if lacks&w.feature != 0 {
				said, lacks = append(said, w.name), lacks&^w.feature
			}
		}
		if lacks != 0 {
			t.Errorf("flavour %s lacks a feature without a word here: %b", name, lacks)
		}
		if said == nil {
			said = []string{"nothing: it says itself what it does not do"}
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.Join(said, ", "))
	}
	generated(t, "../doc/providers.md", b.String())
}

func megabytes(n int64) int64 { return (n + 500_000) / 1_000_000 }

func TestTheReferenceOfTheCatalogueIsUpToDate(t *testing.T) {
	t.Parallel()
	l, err := library.Open(t.TempDir(), library.Options{HubURL: "https://localhost"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| Name | Model | For | License | Size | Context | Digest known | Run by this project | Sources, in order |\n|---|---|---|---|---|---|---|---|---|\n")
	yes := map[bool]string{true: "yes", false: "no"}
	for _, e := range l.Catalog() {
		var refs []string
		for _, s := range e.Sources {
			ref := "`" + s.Ref + "`"
			if s.Projector != "" {
				ref += " with `" + s.Projector + "`"
			}
			refs = append(refs, ref)
		}
		use, size := string(e.Kind), fmt.Sprintf("%d MB", megabytes(e.Size))
		if e.Projector != nil {
			use, size = use+" with images", size+fmt.Sprintf(" + %d MB", megabytes(e.Projector.Size))
		}
		if e.Embedding != nil {
			use += fmt.Sprintf(", %d dimensions", e.Embedding.Dimensions)
			if e.Embedding.Matryoshka {
				use += " or fewer"
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %d | %s | %s | %s |\n", e.Name, cell(e.Title), use, e.License,
			size, e.Context, yes[e.SHA256 != "" || len(e.Files) > 0], yes[e.Verified], strings.Join(refs, ", "))
	}
	generated(t, "../doc/models.md", b.String())
}

func TestTheReferenceOfTheChecksIsUpToDate(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	group := ""
	for _, c := range conformance.Checks() {
		if c.Group() != group {
			group = c.Group()
			fmt.Fprintf(&b, "\n### %s\n\n| Check | § | | Requires | Who suffers else | Needs |\n|---|---|---|---|---|---|\n", group)
		}
		var needs []string
		for _, f := range c.Needs {
			needs = append(needs, string(f))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", c.Name, c.Section, report.Severity(&c), cell(c.Requires), cell(c.Breaks), strings.Join(needs, ", "))
	}
	generated(t, "../doc/reference/conformance.md", strings.TrimPrefix(b.String(), "\n"))
}

// section writes the members of a struct as a table, then those of the structs in it.
func section(b *strings.Builder, title string, of reflect.Type, path string) {
	fmt.Fprintf(b, "### %s\n\n| Member | Value | Default | |\n|---|---|---|---|\n", title)
	var below strings.Builder
	for f := range of.Fields() {
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		value, deeper, at := valueOf(f), structOf(f.Type), path+name
		switch {
		case f.Type == of || f.Type == reflect.SliceOf(of): // a model's targets are models
			value, deeper = "list, each with these members", nil
		case f.Tag.Get("named") != "":
			value, at = "names, each with [members](#"+slug(at+".NAME")+")", at+".NAME"
		case f.Type == reflect.TypeFor[[]string]():
			value = "list of texts"
		case f.Type == reflect.TypeFor[config.Aliases]():
			value, deeper = "names and their models", nil
		case f.Type == reflect.TypeFor[config.Fetch]():
			value, deeper = "a list of hosts", nil
		case f.Type.Kind() == reflect.Map:
			value = "names and their values"
		case f.Type.Kind() == reflect.Slice:
			value, at = "list, each with [members](#"+slug(at+"[]")+")", at+"[]"
		case deeper != nil:
			value = "[members](#" + slug(at) + ")"
		}
		words := strings.Split(f.Tag.Get("words"), ",")
		if words[0] != "" {
			value = "`" + strings.Join(words, "`, `") + "` or " + value
		}
		if deeper != nil {
			section(&below, "`"+at+"`", deeper, at+".")
		}
		standard := ""
		if d := f.Tag.Get("default"); d != "" {
			standard = "`" + d + "`"
		} else if f.Tag.Get("required") != "" {
			standard = "(required)"
		} else if words[0] != "" {
			standard = "`" + words[0] + "`"
		}
		says := f.Tag.Get("doc")
		if owners := f.Tag.Get("for"); owners == "target" {
			says += " Only in `targets`."
		} else if owners != "" {
			says += " Only with `" + strings.ReplaceAll(owners, ",", "` or `") + "`."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", name, cell(value), standard, cell(says))
	}
	b.WriteString("\n" + below.String())
}

// structOf is the struct of ours that a member holds, itself or in a list; nil for none.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// valueOf says in a word what a member takes.
func valueOf(f reflect.StructField) string {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		return "`" + strings.ReplaceAll(enum, ",", "`, `") + "`"
	}
	word := ""
	if w := f.Tag.Get("word"); w != "" {
		word = " or `" + w + "`"
	}
	bounds := ""
	if lo, hi := f.Tag.Get("min"), f.Tag.Get("max"); hi != "" {
		bounds = " from " + lo + " to " + hi
	} else if lo != "" {
		bounds = " of at least " + lo
	}
	switch reflect.Zero(t).Interface().(type) {
	case time.Duration:
		return "duration" + word
	case config.Size:
		return "size"
	case config.Layers:
		return "number or `all`"
	case bool:
		return "`on` or `off`"
	case float64:
		return "number" + bounds
	case int:
		return "whole number" + bounds
	default:
		return "text"
	}
}

type kind struct{ name, comment string }

// kinds are the names of llm.Kind's values and what is said beside them, in order.
func kinds(t *testing.T) []kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "llm/errors.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST || len(g.Specs) < 2 {
			continue
		}
		var list []kind
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec) //nolint:forcetypeassert // what a const declaration holds
			list = append(list, kind{v.Names[0].Name, strings.TrimSpace(v.Comment.Text())})
		}
		return list
	}
	t.Fatal("llm/errors.go declares no kinds")
	return nil
}

// failing is a Backend that always fails in one way.
type failing struct {
	llm.Unimplemented
	err error
}

func (f failing) Chat(context.Context, *llm.ChatRequest) llm.Stream { return llm.Fail(f.err) }

// ask has a door answer with an error.
func ask(door func(dialect.Options) http.Handler, path string, err *llm.Error) *httptest.ResponseRecorder {
	info := llm.ModelInfo{Deployment: "m", Operations: []llm.Operation{llm.OpChat}}
	backend := failing{err: err}
	h := door(dialect.Options{
		Backend: backend, Models: route.New([]route.Deployment{{Targets: []route.Target{{Backend: backend, Info: info}}}}, "", route.Aliases{}),
		Authenticate: func(*http.Request) (llm.Caller, error) { return llm.Caller{}, nil },
		MaxBody:      1 << 10, Logger: slog.New(slog.DiscardHandler),
	})
	w := httptest.NewRecorder()
	body := strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"x"}]}`)
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, body))
	return w
}

// cell makes text fit for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

const (
	begin = "<!-- generated by `make generate`; changes below are lost -->\n\n"
	end   = "<!-- end of what is generated -->"
)

// generated keeps the part of a document between the two marks equal to want.
func generated(t *testing.T, file, want string) {
	t.Helper()
	head, rest, begun := strings.Cut(read(t, file), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s lacks the marks of its generated part: %q and %q", file, begin, end)
	}
	same(t, file, head+begin+strings.TrimRight(want, "\n")+"\n\n"+end+tail)
}

// same keeps a file equal to want.
func same(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(read(t, file), "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("%s is out of date: run `make generate` (-file +code):\n%s", file, diff)
	}
}
