// Package served starts Ingot for the suites in Go, and keeps what their clients did.
package served

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Key admits at every endpoint of these tests.
const Key = "key-of-the-tests"

// Ingot is a running `ingot serve` on a port that the kernel chose, with TLS and without on the same port.
type Ingot struct {
	Address string // host:port
	Home    string
	CA      string       // file of the authority that signed the certificate
	Log     string       // file of what it writes
	HTTP    *http.Client // trusts the authority
	process *exec.Cmd
}

var serves = regexp.MustCompile(` serves https?://(\S+)`)

// Start runs the program INGOT_BIN in the folder, with the configuration unless it is empty.
func Start(folder, configuration string, arguments ...string) (*Ingot, error) {
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
	s := &Ingot{Home: home, Log: filepath.Join(folder, "ingot.log"), CA: filepath.Join(home, "tls", "ca.pem")}
	log, err := os.Create(s.Log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.process = exec.Command(os.Getenv("INGOT_BIN"), append([]string{"serve", "--tls", "auto", "--listen", "127.0.0.1:0"}, arguments...)...)
	s.process.Env = append(os.Environ(), "INGOT_KEY="+Key, "INGOT_HOME="+home)
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
		_ = s.process.Wait()
		said, _ := os.ReadFile(s.Log)
		return nil, fmt.Errorf("ingot did not start: %s%s", line, said)
	}
	s.Address = found[1]
	authority, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	s.HTTP = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}}
	return s, nil
}

// At is the endpoint with this path, as callers without TLS write it.
func (s *Ingot) At(path string) string { return "http://" + s.Address + path }

// Over is the endpoint with this path and TLS.
func (s *Ingot) Over(path string) string { return "https://" + s.Address + path }

// Stop ends it as an operator does.
func (s *Ingot) Stop() error {
	limit := time.AfterFunc(15*time.Second, func() { _ = s.process.Process.Kill() })
	defer limit.Stop()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := s.process.Wait(); err != nil {
		said, _ := os.ReadFile(s.Log)
		return fmt.Errorf("ingot ended: %w: %s", err, said)
	}
	return nil
}

// Rows are what clients were seen to do (../table.py). They may be noted concurrently.
type Rows struct {
	mu   sync.Mutex
	rows [][]string
}

// Note keeps that a client did an operation at an address, or, with why, that it cannot.
func (r *Rows) Note(client, address, operation string, why ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, append([]string{client, address, operation}, why...))
}

// Leave writes them to a file of this name in the folder INGOT_TEST_DOORS.
func (r *Rows) Leave(name string) error {
	folder := os.Getenv("INGOT_TEST_DOORS")
	if folder == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.rows, slices.Compare)
	text, err := json.Marshal(r.rows)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".json"), text, 0o600)
}
