package served

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Main runs the tests of a suite with two endpoints, one of all mock models and one of the configuration faulty, and leaves the
// rows under the suite's name. begin is told both, and a folder for the time of the tests.
func Main(m *testing.M, name, faulty string, rows *Rows, begin func(folder string, mocks, faults *Ingot)) int {
	err := func() error {
		folder, err := os.MkdirTemp("", "ingot-"+name+"-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		mocks, err := Start(filepath.Join(folder, "mock"), "", "--mock")
		if err != nil {
			return err
		}
		faults, err := Start(filepath.Join(folder, "faulty"), faulty)
		if err != nil {
			return errors.Join(err, mocks.Stop())
		}
		begin(folder, mocks, faults)
		if code := m.Run(); code != 0 {
			err = fmt.Errorf("tests ended with %d", code)
		}
		return errors.Join(err, mocks.Stop(), faults.Stop(), rows.Leave(name))
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

const local = `
models:
  smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048, keep_alive: forever}
  minilm: {local: minilm, threads: 1, keep_alive: forever}
`

// Here is an endpoint of models that run here: smollm2 and minilm of the data folder INGOT_HOME.
func Here(t *testing.T) *Ingot {
	t.Helper()
	folder := t.TempDir()
	home := filepath.Join(folder, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"engine", "models"} {
		if err := os.Symlink(filepath.Join(os.Getenv("INGOT_HOME"), part), filepath.Join(home, part)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Start(folder, local)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Issuer starts what signs tokens as Microsoft Entra ID does, for the time of a test, and returns its address.
func Issuer(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "entra")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./test/entra")
	build.Dir = os.Getenv("INGOT_TEST_ROOT")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the issuer: %v: %s", err, out)
	}
	issuer := exec.CommandContext(t.Context(), binary)
	said, err := issuer.StdoutPipe()
	if err == nil {
		err = issuer.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Wait() }) // the test's context ends it
	address, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}
