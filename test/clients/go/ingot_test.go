// Package sdk_test drives the Go SDKs against the real binary: openai-go with its options for Azure, azopenai,
// azidentity's credentials, go-openai, and langchaingo. run.sh says how it is started.
package sdk_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-llm/ingot/test/clients/served"
)

const (
	key      = served.Key
	otherKey = "another-key-of-the-tests"
)

const faulty = `
keys:
  - {name: one, key: key-of-the-tests}
  - {name: other, key: another-key-of-the-tests, requests_per_minute: 1000, tokens_per_minute: 100000}
responses: {store: on}
models:
  mock: {provider: mock}
  limited: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms}}}
  distant: {provider: mock, mock: {fault: {status: 429, retry_after: 5m}}}
  hasty: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms, every: 2}}}
  slow: {provider: mock, mock: {fault: {status: 429, retry_after: 900ms, every: 2}}}
  broken-403: {provider: mock, mock: {fault: {status: 403}}}
  broken-500: {provider: mock, mock: {fault: {status: 500}}}
  broken-503: {provider: mock, mock: {fault: {status: 503}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  openai/gpt-4o-mini: {provider: mock}
  stalls: {provider: mock, mock: {fault: {stall: 2}}}
`

// The endpoints of these tests: of all mock models, and of failing ones, which keeps responses.
var mocks, faults *served.Ingot

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	// Clients read these, and are to read nothing that a test does not give them.
	for _, name := range []string{"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"} {
		_ = os.Unsetenv(name)
	}
	if endpoint := os.Getenv("INGOT_TEST_TRUSTS"); endpoint != "" {
		return asksAs(endpoint)
	}
	return served.Main(m, "go", faulty, &results, func(_ string, all, failing *served.Ingot) { mocks, faults = all, failing })
}

// versions are those of the modules that this was built with.
var versions = sync.OnceValue(func() map[string]string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all").Output()
	if err != nil {
		panic(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		found[path] = strings.TrimPrefix(version, "v")
	}
	return found
})

// The clients, as the tables of results call them.
func openAI() string   { return "openai-go " + versions()["github.com/openai/openai-go/v3"] + " (Go)" }
func azOpenAI() string { return "azopenai " + versions()[azopenaiModule] + " (Go)" }
func goOpenAI() string {
	return "go-openai " + versions()["github.com/sashabaranov/go-openai"] + " (Go)"
}

func langchaingo() string {
	return "langchaingo " + versions()["github.com/tmc/langchaingo"] + " (Go)"
}

const azopenaiModule = "github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"

// results are what the clients did.
var results served.Rows

// must is the value of a call that may not fail.
func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// equal compares with what is wanted.
func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %#v, want %#v", what, got, want)
	}
}

// red is a picture.
const red = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"

// weather is the schema of a tool's arguments; instance is the smallest that it allows.
var weather = map[string]any{
	"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}},
	"required": []string{"city"}, "additionalProperties": false,
}

const instance = `{"city":""}`
