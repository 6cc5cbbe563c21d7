package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/config/tagged"
)

var sameValues = cmpopts.IgnoreUnexported(config.Config{}, config.Model{})

// variables are the environment of these tests.
func variables(name string) (string, bool) {
	v, ok := map[string]string{"INGOT_KEY": "s3cret-from-outside", "EMPTY": "", "MANY": "7", "OPENAI_API_KEY": "s3cret-for-openai"}[name]
	return v, ok
}

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("ingot.yaml", []byte(text), variables)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return c
}

func corpus(t *testing.T, pattern string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	files := map[string][]byte{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = data
	}
	return files
}

func TestGoodFilesLoadAndFitTheSchema(t *testing.T) {
	schema := compile(t)
	for name, data := range corpus(t, "*.good.yaml") {
		t.Run(name, func(t *testing.T) {
			c, err := config.Parse(name, data, variables)
			if err != nil {
				t.Fatal(err)
			}
			if name != "nulls.good.yaml" {
				fits(t, schema, data)
			}
			again, err := config.Parse(name, c.YAML(false), variables)
			if err != nil {
				t.Fatalf("the effective configuration does not load: %v\n%s", err, c.YAML(false))
			}
			if diff := cmp.Diff(c, again, sameValues); diff != "" {
				t.Errorf("the effective configuration differs (-parsed +written and parsed):\n%s", diff)
			}
		})
	}
}

func TestBadFilesAreRefusedWithTheirPhrase(t *testing.T) {
	for name, data := range corpus(t, "*.bad.yaml") {
		t.Run(name, func(t *testing.T) {
			first, _, _ := strings.Cut(string(data), "\n")
			want, ok := strings.CutPrefix(first, "# want: ")
			if !ok {
				t.Fatal("the first line says no phrase")
			}
			c, err := config.Parse(name, data, variables)
			if err == nil {
				t.Fatalf("accepted:\n%s", c.YAML(false))
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got:\n%v\nwant a line with:\n%s", err, want)
			}
			if strings.Contains(err.Error(), "secret") && !strings.Contains(want, "secret") {
				t.Errorf("the complaint tells a secret: %v", err)
			}
			complaint, ok := errors.AsType[config.Error](err)
			if !ok || complaint.File != name {
				t.Errorf("got %#v, want a config.Error about %s", err, name)
			}
		})
	}
}

func TestAllComplaintsComeTogetherInTheFilesOrder(t *testing.T) {
	_, err := config.Parse("f", []byte("log: {level: loud}\ndefault_model: none\ntlss: off\nlimits:\n  queue: x\n  wait: y\n"), variables)
	var got []int
	if list, ok := errors.AsType[config.Errors](err); ok {
		for _, e := range list {
			got = append(got, e.Line)
		}
	}
	if diff := cmp.Diff([]int{1, 2, 3, 5, 6}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s\n%v", diff, err)
	}
}

func TestAFileWithoutMembersIsTheDefault(t *testing.T) {
	want := config.Default()
	want.Aliases.Mode = "off"
	for _, text := range []string{"", "# a comment\n", "---\n"} {
		if diff := cmp.Diff(want, parse(t, text), sameValues); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	got := parse(t, "listen: 127.0.0.1:9")
	want.Listen = "127.0.0.1:9"
	if diff := cmp.Diff(want, got, sameValues); diff != "" {
		t.Errorf("only listen (-want +got):\n%s", diff)
	}
}

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	c := config.Default()
	timeouts := config.Timeouts{FirstToken: 2 * time.Minute, Silence: time.Minute}
	want := &config.Config{
		Listen: "127.0.0.1:8080", TLS: config.TLS{Mode: "off"},
		Models: []config.Model{
			{Name: "smollm2", Local: "smollm2", KeepAlive: 10 * time.Minute, Inputs: 2048, Timeouts: timeouts},
			{Name: "minilm", Local: "minilm", KeepAlive: 10 * time.Minute, Inputs: 2048, Timeouts: timeouts},
		},
		Limits: config.Limits{Body: 32 << 20, Connections: 4096, HeaderTimeout: 10 * time.Second, BodyTimeout: time.Minute, BodyTotal: 10 * time.Minute, BodyMemory: 256 << 20, Queue: 64, Wait: time.Minute},
		Info:   config.Info{Spelling: "spec"},

		Aliases:     config.Aliases{Mode: "github-models"},
		Entra:       config.Entra{Authority: "https://login.microsoftonline.com", Leeway: 5 * time.Minute},
		Images:      config.Images{Fetch: config.Fetch{Mode: "public"}, Bytes: 20 << 20, Pixels: 50_000_000, PerRequest: 16, Timeout: 20 * time.Second},
		OpenAI:      config.OpenAI{UnknownFields: "refuse", ReasoningParams: "lenient"},
		Responses:   config.Responses{Entries: 1000, Bytes: 64 << 20, Age: time.Hour},
		APIVersions: "lenient",
		Log:         config.Log{Level: "info", Format: "text"},
	}
	if diff := cmp.Diff(want, c, sameValues); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMockServesSixDeployments(t *testing.T) {
	c := config.DefaultMock()
	got := map[string]config.Mock{}
	for _, m := range c.Models {
		got[m.Name] = *m.Mock
	}
	echo := config.Mock{Behaviour: "echo", ToolChoiceAuto: "text", Dimensions: 384}
	long, cut, reasoning, embedding, images := echo, echo, echo, echo, echo
	long.Behaviour, long.TokensPerSecond, long.MaxTokens = "count", 500, 4096
	cut.Fault = &config.Fault{Cut: 3, Every: 1}
	reasoning.Behaviour, embedding.Behaviour, images.Behaviour = "reasoning", "embedding", "image-embedding"
	want := map[string]config.Mock{"mock": echo, "mock-long": long, "mock-cut": cut, "mock-reasoning": reasoning, "mock-embedding": embedding, "mock-image-embedding": images}
	if diff := cmp.Diff(want, got); diff != "" || c.Models[0].Name != "mock" {
		t.Errorf("first is %q; (-want +got):\n%s", c.Models[0].Name, diff)
	}
	if again := parse(t, string(c.YAML(false))); !cmp.Equal(c, again, sameValues) {
		t.Errorf("not the same when written and parsed:\n%s", cmp.Diff(c, again, sameValues))
	}
}

func TestModelsKeepTheOrderOfTheFile(t *testing.T) {
	c := parse(t, "models: {z: {provider: mock}, a: {local: smollm2}, m: {command: 'x {port}'}}")
	var names []string
	for _, m := range c.Models {
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"z", "a", "m"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m := c.Models[2]; m.Model != "m" || m.Kind != "chat" || m.Ready != "/health" {
		t.Errorf("a command's defaults: got %q, %q, %q", m.Model, m.Kind, m.Ready)
	}
}

func TestAZeroInTheFileIsNotADefault(t *testing.T) {
	c := parse(t, "limits: {queue: 0, wait: 0s}\nmodels:\n  a: {local: smollm2, keep_alive: 0s, timeouts: {silence: 0s}}\n  b: {local: smollm2, keep_alive: forever, system: ''}\n")
	a, b := c.Models[0], c.Models[1]
	if c.Limits.Queue != 0 || c.Limits.Wait != 0 || a.KeepAlive != 0 || a.Timeouts.Silence != 0 || a.System != nil {
		t.Errorf("got %+v, %+v", c.Limits, a)
	}
	if b.KeepAlive != config.Forever || b.System == nil || *b.System != "" {
		t.Errorf("got %+v", b)
	}
}

func TestVariablesAreExpanded(t *testing.T) {
	for text, want := range map[string]string{
		"${INGOT_KEY}":         "s3cret-from-outside",
		"a-${INGOT_KEY}-b":     "a-s3cret-from-outside-b",
		"${NOT_SET:-default}":  "default",
		"${EMPTY:-default}":    "default",
		"${NOT_SET:-a:-b}":     "a:-b",
		"$${INGOT_KEY}":        "${INGOT_KEY}",
		"$$${INGOT_KEY}":       "$${INGOT_KEY}",
		"$5":                   "$5",
		"${INGOT_KEY}${MANY}":  "s3cret-from-outside7",
		"pre$${a}${MANY}$${b}": "pre${a}7${b}",
	} {
		c := parse(t, "keys:\n  - name: a\n    key: "+text+"\n")
		if got := c.Keys[0].Key; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
		if again := parse(t, string(c.YAML(false))); again.Keys[0].Key != want {
			t.Errorf("%s: written and parsed: got %q, want %q", text, again.Keys[0].Key, want)
		}
	}
	c := parse(t, "limits: {queue: '${MANY}', wait: '${MANY}s'}\nextra_parameters: {legacy: '${X:-on}'}")
	if c.Limits.Queue != 7 || c.Limits.Wait != 7*time.Second || !c.ExtraParameters.Legacy {
		t.Errorf("got %+v, %+v", c.Limits, c.ExtraParameters)
	}
}

func TestComplaintsNeverTellAVariablesValue(t *testing.T) {
	_, err := config.Parse("f", []byte("listen: ${INGOT_KEY}\nlimits: {queue: '${INGOT_KEY}', wait: '${INGOT_KEY}'}\nlog: {level: '${INGOT_KEY}'}\n"+
		"default_model: ${INGOT_KEY}\nmodels: {a: {local: '${INGOT_KEY}'}}\n"), variables)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}

func TestShowHidesSecrets(t *testing.T) {
	c := parse(t, "keys: [{name: a, key: '${INGOT_KEY}'}]\nmodels: {a: {command: \"HF_TOKEN=tttt serve --api-key kkkk --max-tokens 5 --secret=ssss {port}\"}}")
	got := string(c.YAML(true))
	for _, secret := range []string{"s3cret", "tttt", "kkkk", "ssss"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is shown:\n%s", secret, got)
		}
	}
	if !strings.Contains(got, "--max-tokens 5") || !strings.Contains(got, "{port}") {
		t.Errorf("too much is hidden:\n%s", got)
	}
}

func TestCheckNamesTheNearestCatalogueName(t *testing.T) {
	c := parse(t, "models:\n  a: {local: smolm2}\n  b: {local: minilm}\n  c: {local: hf:o/r/f.gguf}\n  d: {local: ./f.gguf}\n  e: {local: nothing-like-it}\n")
	err := c.Check(config.Names{Catalogue: []string{"smollm2", "minilm"}})
	want := `ingot.yaml:2:14: models.a.local: no model "smolm2" in the catalogue; did you mean "smollm2"?
ingot.yaml:6:14: models.e.local: no model "nothing-like-it" in the catalogue; it has: smollm2, minilm`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if err := config.Default().Check(config.Names{Catalogue: []string{"smollm2", "minilm"}}); err != nil {
		t.Errorf("the default: %v", err)
	}
}

func TestManyEntriesAreRefusedAtOnce(t *testing.T) {
	for _, entry := range []string{"a: b\n", "- a\n", "? a\n", "<<: *a\n"} {
		_, err := config.Parse("f", []byte(strings.Repeat(entry, 30_000)), variables)
		if err == nil || !strings.Contains(err.Error(), "more than 5000 entries") {
			t.Errorf("%q: got %.300v", entry, err)
		}
	}
}

func TestAliasesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("keys:\n  - &k {name: a, key: b}\n")
	b.WriteString(strings.Repeat("  - *k\n", 3_000))
	b.WriteString("models:\n  a: {provider: mock, mock: &m {fault: {cut: 1, every: 2}}}\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  a%d: {provider: mock, mock: *m}\n", i)
	}
	_, err := config.Parse("f", []byte(b.String()), variables)
	if err == nil || !strings.Contains(err.Error(), "name: is that of keys[0] too") {
		t.Errorf("got %.300v", err)
	}
	if n := strings.Count(err.Error(), "\n"); n >= 100 {
		t.Errorf("got %d complaints, want at most 100", n)
	}
}

func TestLargeFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ingot.yaml")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), "larger than 256 KiB") {
		t.Errorf("got %v", err)
	}
	if _, err := config.Load(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want not exist", err)
	}
}

func TestAFileOfNoBytesIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ingot.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), path+" is empty") {
		t.Errorf("got %v: another process may be about to write it", err)
	}
}

func TestAByteOrderMarkIsPassedOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ingot.yaml")
	if err := os.WriteFile(path, []byte("\ufefflisten: 127.0.0.1:9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:9" {
		t.Errorf("listens on %s", c.Listen)
	}
}

func TestTheExampleLoadsAsItIsAndUncommented(t *testing.T) {
	schema := compile(t)
	plain := string(config.Example())
	var all []string
	for line := range strings.Lines(plain) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") || strings.HasPrefix(line, "#  ") {
			line = rest
		}
		all = append(all, line)
	}
	for name, text := range map[string]string{"as it is": plain, "uncommented": strings.Join(all, "")} {
		c, err := config.Parse("example.yaml", []byte(text), variables)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fits(t, schema, []byte(text))
		want := config.Default()
		want.Aliases.Mode = "off" // no file quietly answers for models that it does not have
		if name == "as it is" && !cmp.Equal(c, want, sameValues) {
			t.Errorf("the example is not the default:\n%s", cmp.Diff(want, c, sameValues))
		}
		if name == "uncommented" && (len(c.Models) != 9 || len(c.Keys) != 2) {
			t.Errorf("uncommented: got %d models and %d keys", len(c.Models), len(c.Keys))
		}
	}
}

func TestTheSchemaRefusesWhatTheTypesRefuse(t *testing.T) {
	schema := compile(t)
	for _, text := range []string{
		"tsl: off", "tls: on", "tls: {cert: a}", "keys: [{name: a, key: b, key_file: c}]", "limits: {quue: 1}", "limits: {queue: many}", "limits: {queue: -1}", "limits: {wait: 60}", "limits: {body: x}",
		"models: {}", "models: {a: {gpu_layers: some}}", "keys: [{name: a}]", "log: {level: loud}",
		"extra_parameters: {legacy: maybe}", "models: {a: {timeouts: {total: forever}}}",
	} {
		if _, err := config.Parse("f", []byte(text), variables); err == nil {
			t.Errorf("%s: the types take it", text)
		}
		if err := schema.Validate(instance(t, []byte(text))); err == nil {
			t.Errorf("%s: the schema takes it", text)
		}
	}
}

func TestSizesAreWrittenAsTheyAreRead(t *testing.T) {
	for text, want := range map[string]config.Size{"0": 0, "1": 1, "7B": 7, "32MiB": 32 << 20, "1.5KiB": 1536, "4 GB": 4e9, "2TiB": 2 << 40} {
		got, err := tagged.ParseSize(text)
		if err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
		if again, err := tagged.ParseSize(got.String()); err != nil || again != got {
			t.Errorf("%s: written as %s, which reads as %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "MiB", "1e30", "NaN", "Inf", "1 2", "9223372036854775808", "0x10p3"} {
		if got, err := tagged.ParseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(config.Example())
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("fuzz.yaml", data, variables)
		if err != nil {
			if _, ok := errors.AsType[config.Errors](err); !ok {
				t.Fatalf("got %T, want Errors", err)
			}
			return
		}
		again, err := config.Parse("fuzz.yaml", c.YAML(false), variables)
		if err != nil {
			t.Fatalf("the effective configuration does not load: %v\n%s", err, c.YAML(false))
		}
		if diff := cmp.Diff(c, again, sameValues); diff != "" {
			t.Fatalf("the effective configuration differs (-parsed +written and parsed):\n%s", diff)
		}
	})
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(config.Schema())))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("ingot.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("ingot.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance is a file as a schema validator sees it.
func instance(t *testing.T, data []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		v = map[string]any{} // nothing but comments
	}
	if v == nil {
		v = map[string]any{}
	}
	return v
}

func fits(t *testing.T, s *jsonschema.Schema, data []byte) {
	t.Helper()
	if err := s.Validate(instance(t, data)); err != nil {
		t.Errorf("does not fit the schema: %v", err)
	}
}
