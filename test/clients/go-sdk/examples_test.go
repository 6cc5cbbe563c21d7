package sdk_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-llm/ingot/test/clients/served"
)

const france = "What is the capital of France?"

// What each example prints when the mock, which repeats what it is told, answers.
var prints = map[string]string{
	"async":             `What is the capital of France\? What is the capital of France\?\nWhat is the capital of Italy\? What is the capital of Italy\?\n`,
	"azure-openai":      `What is the capital of France\?\n2 vectors of 384 numbers by mock-embedding\n`,
	"basic-chat":        `What is the capital of France\?\nmock: \d+ tokens in, 7 out\n`,
	"github-models":     `What is the capital of France\?\n\(mock\)\n`,
	"history":           `> What can I make of three eggs\?\nWhat can I make of three eggs\?\n\(\d+ tokens in\)\n> And without a pan\?\nAnd without a pan\?\n\(\d+ tokens in\)\n`,
	"image-embeddings":  `mock-image-embedding: vectors of 384 numbers, cosine -?0\.\d{3}\n`,
	"image-input":       `What shape is this, and of which colour\?\n`,
	"model-info":        `mock of Ingot: chat_completion\n`,
	"streaming":         `Tell me a very short story about a lighthouse\.\n\(10 tokens\)\n`,
	"structured-output": `"" takes 1 min and \n`,
	"text-completion":   `Once upon a time there was\n\(mock, stop\)\n`,
	"tools":             `\(the weather of "" is looked up\)\nWhat is the weather in Paris\?\n`,
}

// These have tests of their own.
var elsewhere = []string{"embedding-search", "entra", "reasoning", "tls"}

// examples is the folder of all examples, built.
var examples = sync.OnceValues(func() (string, error) {
	folder := filepath.Join(work, "examples")
	build := exec.Command("go", "build", "-o", folder+string(filepath.Separator), "./...")
	build.Dir = examplesSource()
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build examples: %w: %s", err, out)
	}
	return folder, nil
})

func examplesSource() string {
	return filepath.Join(os.Getenv("INGOT_TEST_ROOT"), "examples", "go")
}

// example runs one with these arguments, of which those with a = are variables.
func example(t *testing.T, name string, arguments ...string) (out, failed string) {
	t.Helper()
	folder, err := examples()
	must(t, folder, err)
	var stdout, stderr strings.Builder
	run := exec.CommandContext(t.Context(), filepath.Join(folder, name))
	run.Dir, run.Stdout, run.Stderr = examplesSource(), &stdout, &stderr
	run.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "INGOT_") || strings.HasPrefix(e, "AZURE_") })
	for _, a := range arguments {
		if strings.Contains(a, "=") {
			run.Env = append(run.Env, a)
		} else {
			run.Args = append(run.Args, a)
		}
	}
	if err := run.Run(); err != nil {
		return stdout.String(), err.Error() + ": " + stderr.String()
	}
	return stdout.String(), ""
}

func TestEveryExampleIsRun(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(examplesSource(), "*", "main.go"))
	must(t, folders, err)
	for _, main := range folders {
		name := filepath.Base(filepath.Dir(main))
		if _, ok := prints[name]; !ok && !slices.Contains(elsewhere, name) {
			t.Errorf("no test runs %s", name)
		}
	}
	if len(folders) != len(prints)+len(elsewhere) {
		t.Errorf("there are %d examples, and %d are run", len(folders), len(prints)+len(elsewhere))
	}
}

func TestExamplesSayWhatTheyAreToSay(t *testing.T) {
	for name, pattern := range prints {
		t.Run(name, func(t *testing.T) {
			out, failed := example(t, name, "INGOT_ENDPOINT="+mocks.At(""), "INGOT_KEY="+key)
			if failed != "" || !regexp.MustCompile("^"+pattern+"$").MatchString(out) {
				t.Errorf("got %q, %s", out, failed)
			}
		})
	}
	t.Run("reasoning", func(t *testing.T) {
		out, failed := example(t, "reasoning", "INGOT_ENDPOINT="+mocks.At("/deployments/mock-reasoning"), "INGOT_KEY="+key)
		if want := "Thoughts: The answer is what was said.\nAnswer: A train leaves at 9:40 and rides for 95 minutes. When does it arrive?\n"; out != want {
			t.Errorf("got %q, %s", out, failed)
		}
	})
	t.Run("tls", func(t *testing.T) {
		folder := t.TempDir()
		binary, err := filepath.Abs(os.Getenv("INGOT_BIN"))
		if err := cmp.Or(err, os.Symlink(binary, filepath.Join(folder, "ingot"))); err != nil {
			t.Fatal(err)
		}
		path := "PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH")
		out, failed := example(t, "tls", "INGOT_ENDPOINT="+mocks.Over(""), "INGOT_KEY="+key, "INGOT_HOME="+mocks.Home, path)
		if out != france+"\n" {
			t.Errorf("got %q, %s", out, failed)
		}
	})
	t.Run("without a key", func(t *testing.T) {
		if out, failed := example(t, "basic-chat", "INGOT_ENDPOINT="+mocks.At("")); out != "" || !strings.Contains(failed, "set INGOT_ENDPOINT and INGOT_KEY: the key is empty") {
			t.Errorf("got %q, %s", out, failed)
		}
	})
}

const (
	tenant   = "11111111-2222-4333-8444-000000000000"
	admitted = "11111111-2222-4333-8444-000000000001"
)

const withEntra = `
entra:
  tenants: [` + tenant + `]
  audiences: ["api://ingot"]
  first_party: on
  authority: %s
  allow: {objects: [` + admitted + `]}
models:
  mock: {provider: mock}
`

// The example asks azidentity, which asks the identity of a machine as App Service has it.
func TestTheExampleOfEntraComesWithTheIdentityOfAMachine(t *testing.T) {
	address := served.Issuer(t)
	var asked []string
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resource := r.FormValue("resource")
		asked = append(asked, r.Header.Get("X-Identity-Header")+" "+resource)
		query := url.Values{"tid": {tenant}, "oid": {admitted}, "aud": {resource}, "version": {"1.0"}}
		response, err := http.Get(address + "/token?" + query.Encode())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = response.Body.Close() }()
		token, _ := io.ReadAll(response.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"token_type": "Bearer", "expires_on": "4102444800", "access_token": string(token)})
	}))
	t.Cleanup(identity.Close)

	s, err := served.Start(t.TempDir(), fmt.Sprintf(withEntra, address))
	must(t, s, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	out, failed := example(t, "entra", "INGOT_ENDPOINT="+s.Over(""), "SSL_CERT_FILE="+s.CA, "IDENTITY_ENDPOINT="+identity.URL, "IDENTITY_HEADER=secret")
	if out != france+"\n" || !slices.Equal(asked, []string{"secret https://ml.azure.com"}) {
		t.Errorf("got %q, %s; the identity was asked %q", out, failed, asked)
	}
	out, failed = example(t, "entra", "INGOT_ENDPOINT="+s.At(""), "IDENTITY_ENDPOINT="+identity.URL, "IDENTITY_HEADER=secret")
	if out != "" || !strings.Contains(failed, "https://") {
		t.Errorf("over plain HTTP: got %q, %s", out, failed)
	}
}
