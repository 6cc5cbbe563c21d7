package pip

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Python is an interpreter of this machine.
type Python struct {
	Path         string // the executable itself, no shim
	Major, Minor int
	Pip, Venv    bool // the modules are there
}

// AtLeast says whether the version is major.minor or newer.
func (p Python) AtLeast(major, minor int) bool {
	return p.Major > major || p.Major == major && p.Minor >= minor
}

// MissingError says what the machine lacks and which command installs it.
type MissingError struct {
	What string
	Fix  string // a shell command
}

func (e *MissingError) Error() string { return e.What + "; install it with: " + e.Fix }

// The working folder leaves the search path first: it may be anybody's.
const probe = `import sys
sys.path[:] = [p for p in sys.path if p]
import json, importlib.util as u
print(json.dumps({"Path": sys.executable, "Major": sys.version_info[0], "Minor": sys.version_info[1],
 "Pip": u.find_spec("pip") is not None, "Venv": u.find_spec("venv") is not None and u.find_spec("ensurepip") is not None}))`

// Find asks the interpreter called python what it is; empty stands for the
// first of python3 and python on PATH that is Python 3. The error is a
// *MissingError when there is none.
func Find(ctx context.Context, python string) (Python, error) {
	names := []string{"python3", "python"}
	if python != "" {
		names = []string{python}
	}
	var errs []error
	for _, name := range names {
		p, err := ask(ctx, name)
		if err == nil && p.Major >= 3 {
			return p, nil
		}
		if ctx.Err() != nil {
			return Python{}, context.Cause(ctx)
		}
		errs = append(errs, err)
	}
	if python != "" {
		return Python{}, fmt.Errorf("run the configured Python %s: %w", python, errors.Join(errs...))
	}
	return Python{}, &MissingError{What: "Python 3 with pip was not found on PATH", Fix: InstallCommand()}
}

func ask(ctx context.Context, name string) (Python, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return Python{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-c", probe) //nolint:gosec // the machine's own Python
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	out, err := cmd.Output()
	if err != nil {
		return Python{}, err
	}
	var p Python
	if err := json.Unmarshal(out, &p); err != nil {
		return Python{}, fmt.Errorf("read version of %s: %w", path, err)
	}
	return p, nil
}

func missingPip(python string) error {
	return &MissingError{What: python + " has no pip", Fix: InstallCommand()}
}

// InstallCommand is the command that installs Python with pip and venv on this machine.
func InstallCommand() string {
	switch runtime.GOOS {
	case "darwin":
		return "brew install python"
	case "windows":
		return "winget install Python.Python.3.12"
	}
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return linuxCommand(nil)
	}
	defer func() { _ = f.Close() }()
	var ids []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, _ := strings.Cut(s.Text(), "="); k == "ID" || k == "ID_LIKE" {
			ids = append(ids, strings.Fields(strings.Trim(v, `"'`))...)
		}
	}
	return linuxCommand(ids)
}

func linuxCommand(ids []string) string {
	for _, id := range ids {
		switch id {
		case "debian", "ubuntu":
			return "sudo apt-get install -y python3 python3-pip python3-venv"
		case "fedora", "rhel", "centos":
			return "sudo dnf install -y python3 python3-pip"
		case "alpine":
			return "sudo apk add python3 py3-pip"
		case "arch":
			return "sudo pacman -S --needed python python-pip"
		case "suse", "opensuse":
			return "sudo zypper install -y python3 python3-pip"
		}
	}
	return "your package manager (the packages python3 and python3-pip)"
}
