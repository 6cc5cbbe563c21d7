// Package sdk_test drives the Go SDKs against the real binary: openai-go with its options for Azure, azopenai,
// azidentity's credentials, go-openai, and langchaingo. run.sh says how it is started.
package sdk_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	key      = "key-of-the-tests"
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
var mocks, faults *ingot

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	folder, err := os.MkdirTemp("", "ingot-go-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	// Clients read these, and are to read nothing that a test does not give them.
	for _, name := range []string{"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"} {
		_ = os.Unsetenv(name)
	}
	if endpoint := os.Getenv("INGOT_TEST_TRUSTS"); endpoint != "" {
		return asksAs(endpoint)
	}
	if mocks, err = start(filepath.Join(folder, "mock"), "", "--mock"); err == nil {
		faults, err = start(filepath.Join(folder, "faulty"), faulty)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code = m.Run()
	if err := errors.Join(mocks.stop(), faults.stop(), leave()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// An ingot is a running `ingot serve` on a port that the kernel chose, with TLS and without on the same port.
type ingot struct {
	address string
	ca      string       // file of the authority that signed the certificate
	http    *http.Client // trusts it
	process *exec.Cmd
	log     string
}

var serves = regexp.MustCompile(` serves https?://(\S+)`)

// start runs the binary in the folder, with the configuration unless it is empty.
func start(folder, configuration string, arguments ...string) (*ingot, error) {
	home := filepath.Join(folder, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	if configuration != "" {
		file := filepath.Join(folder, "ingot.yaml")
		if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
			return nil, err
		}
		arguments = append(arguments, "--config", file)
	}
	s := &ingot{log: filepath.Join(folder, "ingot.log"), ca: filepath.Join(home, "tls", "ca.pem")}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.process = exec.Command(os.Getenv("INGOT_BIN"), append([]string{"serve", "--tls", "auto", "--listen", "127.0.0.1:0"}, arguments...)...)
	s.process.Env = append(os.Environ(), "INGOT_KEY="+key, "INGOT_HOME="+home)
	s.process.Stderr = log
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	limit := time.AfterFunc(time.Minute, func() { _ = s.process.Process.Kill() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	limit.Stop()
	found := serves.FindStringSubmatch(line)
	if found == nil {
		_ = s.process.Process.Kill()
		said, _ := os.ReadFile(s.log)
		return nil, fmt.Errorf("ingot did not start: %s%s", line, said)
	}
	s.address = found[1]
	authority, err := os.ReadFile(s.ca)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	s.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}}
	return s, nil
}

// at is the endpoint with this path, as callers without TLS write it; over is the same with TLS.
func (s *ingot) at(path string) string   { return "http://" + s.address + path }
func (s *ingot) over(path string) string { return "https://" + s.address + path }

// stop ends it as an operator does.
func (s *ingot) stop() error {
	limit := time.AfterFunc(15*time.Second, func() { _ = s.process.Process.Kill() })
	defer limit.Stop()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := s.process.Wait(); err != nil {
		said, _ := os.ReadFile(s.log)
		return fmt.Errorf("ingot ended: %w: %s", err, said)
	}
	return nil
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

var results struct {
	sync.Mutex
	rows [][]string
}

// seen notes that a client did an operation at an address, or, with why, that it cannot.
func seen(row ...string) {
	results.Lock()
	defer results.Unlock()
	results.rows = append(results.rows, row)
}

// leave writes what was seen to the folder INGOT_TEST_DOORS.
func leave() error {
	folder := os.Getenv("INGOT_TEST_DOORS")
	if folder == "" {
		return nil
	}
	slices.SortFunc(results.rows, slices.Compare)
	text, err := json.Marshal(results.rows)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "go.json"), text, 0o600)
}

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
