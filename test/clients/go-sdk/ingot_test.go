// Package sdk_test drives the Go SDK of this repository, and the examples that use it, against the real binary.
// run.sh says how it is started.
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
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/client"
)

const key = "key-of-the-tests"

const faulty = `
models:
  mock: {provider: mock}
  hasty: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms, every: 2}}}
  distant: {provider: mock, mock: {fault: {status: 429, retry_after: 5m}}}
  broken-403: {provider: mock, mock: {fault: {status: 403}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  stalls: {provider: mock, mock: {fault: {stall: 2}}}
  calls: {provider: mock, mock: {tool_choice_auto: call}}
`

// The endpoints of these tests: of all mock models, and of failing ones.
var mocks, faults *ingot

// work is a folder for the time of the tests.
var work string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	var err error
	if work, err = os.MkdirTemp("", "ingot-go-sdk-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(work) }()
	if mocks, err = start(filepath.Join(work, "mock"), "", "--mock"); err == nil {
		faults, err = start(filepath.Join(work, "faulty"), faulty)
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
	home    string
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
	s := &ingot{home: home, log: filepath.Join(folder, "ingot.log"), ca: filepath.Join(home, "tls", "ca.pem")}
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

// client is one for the endpoint with this path.
func (s *ingot) client(t testing.TB, path string, options *client.Options) *client.Client {
	t.Helper()
	c, err := client.New(s.at(path), client.Key(key), options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

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

// name is the client, as the tables of results call it.
const name = "ingot/client " + client.Version + " (Go)"

var results struct {
	sync.Mutex

	rows [][]string
}

// seen notes that the client did an operation at an address, or, with why, that it cannot.
func seen(row ...string) {
	results.Lock()
	defer results.Unlock()
	results.rows = append(results.rows, append([]string{name}, row...))
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
	return os.WriteFile(filepath.Join(folder, "go-sdk.json"), text, 0o600)
}

// must is the value of a call that may not fail.
func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// says is a request of one message.
func says(text string, parts ...client.Part) *client.ChatRequest {
	return &client.ChatRequest{Messages: []client.Message{client.User(text, parts...)}}
}
