package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/home"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/disk"
	"github.com/ingot-llm/ingot/internal/library/pip"
)

// variables are what Ingot reads from the environment.
var variables = []string{"INGOT_HOME", "INGOT_KEY", "INGOT_KEYS", "INGOT_LIMITED_KEY", "INGOT_ENDPOINT", install.EnvServer}

// checkEnvironment looks for variables that do not do what they seem to.
func (o Options) checkEnvironment() []Finding {
	const check = "environment"
	var found []Finding
	odd := func(name, format string, args ...any) {
		found = append(found, Finding{check, Warning, name + " " + fmt.Sprintf(format, args...), "unset " + name})
	}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "INGOT_") {
			continue
		}
		switch {
		case !slices.Contains(variables, name):
			if n := o.Nearest(name, variables); n != "" {
				odd(name, "is not read by Ingot itself; was %s meant?", n)
			}
		case strings.TrimSpace(value) == "":
			odd(name, "is set and empty, which counts as not set")
		case strings.HasSuffix(name, "_KEY") && strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
			odd(name, "holds blanks or characters that no header can carry: nobody can send this key")
		case name == "INGOT_HOME" && !filepath.IsAbs(value):
			odd(name, "is the relative path %q: every folder you start Ingot in has its own data", value)
		case name == "INGOT_ENDPOINT" && !isURL(value):
			odd(name, "is not of the form http://host:port")
		}
	}
	if v := os.Getenv("HF_ENDPOINT"); v != "" && !isURL(v) {
		odd("HF_ENDPOINT", "is not of the form https://host: no model can be pulled")
	}
	if found == nil {
		found = append(found, fine(check, "in order"))
	}
	return found
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// checkHome looks whether the data folder can be written, by its owner only.
func checkHome(h home.Home) Finding {
	const check = "data folder"
	f, err := os.CreateTemp(h.Dir(), ".doctor-*")
	if err != nil {
		return Finding{check, Problem, fmt.Sprintf("cannot be written: %v", err), "export INGOT_HOME=/a/folder/of/yours"}
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	fi, err := os.Stat(h.Dir())
	const others = 0o077
	if err == nil && runtime.GOOS != "windows" && fi.Mode().Perm()&others != 0 {
		return Finding{check, Warning, h.Dir() + " is open to other users of this machine, and it holds keys", "chmod 700 " + h.Dir()}
	}
	return fine(check, "%s", h.Dir())
}

// checkPort looks whether the address can be listened on, or who does.
func checkPort(ctx context.Context, listen string, running home.Endpoint) Finding {
	const check = "port"
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err == nil {
		_ = ln.Close()
		return fine(check, "%s is free", listen)
	}
	if running.URL == "http://"+listen {
		return fine(check, "%s is held by the endpoint of this data folder", listen)
	}
	holder := "something else"
	if name, pid := portHolder(listen); pid != 0 {
		holder = fmt.Sprintf("process %d (%s)", pid, name)
	}
	if answers(ctx, "http://"+listen) {
		holder += ", which answers as an Ingot of another data folder would"
	}
	return Finding{check, Problem, fmt.Sprintf("%s cannot be listened on: %v; it is held by %s", listen, err, holder), "ingot serve --listen 127.0.0.1:0"}
}

// answers says whether an endpoint is alive.
func answers(ctx context.Context, base string) bool {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func checkMemory(ctx context.Context) Finding {
	const (
		check = "memory"
		small = 1 << 30 // what the default models and a little work take
	)
	m := hardware.Detect(ctx)
	switch {
	case m.MemoryTotal == 0:
		return Finding{check, Warning, "could not be found out: say engine.memory in the configuration when models do not load", ""}
	case m.MemoryAvailable < small:
		return Finding{check, Warning, fmt.Sprintf("only %s are free: the default models take about 1 GB, others more", disk.Bytes(int64(m.MemoryAvailable))), "ingot models --all"}
	}
	return fine(check, "%s", m)
}

// checkModels looks at the models that are here and those the configuration needs; missing is about
// how many bytes the latter take.
func checkModels(lib *library.Library, local []string) (found []Finding, missing int64) {
	const check = "models"
	models, damaged, err := lib.All()
	if err != nil {
		return []Finding{{check, Problem, err.Error(), ""}}, 0
	}
	for _, d := range damaged {
		text, fix := d.Err.Error(), "ingot rm "+d.Name
		if e, ok := errors.AsType[*library.DamagedError](d.Err); ok {
			text, fix = e.Why, e.Fix
		}
		found = append(found, Finding{check, Problem, text, fix})
	}
	var here []string
	for _, m := range models {
		here = append(here, m.Name)
	}
	if len(here) > 0 {
		found = append(found, fine(check, "here: %s", strings.Join(here, ", ")))
	}
	var lacking []string
	for _, name := range local {
		if _, err := lib.Find(name); errors.As(err, new(*library.NotHereError)) {
			if r, err := lib.Resolve(name); err != nil || r.File || isDamaged(damaged, r.Name) {
				continue // told already, or there is nothing to fetch
			}
			e, _ := lib.Entry(name)
			lacking, missing = append(lacking, name), missing+e.Size
		}
	}
	if lacking != nil {
		found = append(found, Finding{check, Warning, strings.Join(lacking, ", ") + " are not here yet: serve fetches them first", "ingot pull " + strings.Join(lacking, " ")})
	}
	return found, missing
}

func isDamaged(damaged []library.Damaged, name string) bool {
	return slices.ContainsFunc(damaged, func(d library.Damaged) bool { return d.Name == name })
}

// checkDisk looks whether there is room for what is still to be fetched.
func checkDisk(dir string, missing int64) Finding {
	const (
		check  = "disk"
		engine = 300 << 20 // unpacked
		twice  = 2         // a wheel and what is in it
	)
	free, err := disk.Free(dir)
	if err != nil {
		return Finding{check, Warning, fmt.Sprintf("free room could not be found out: %v", err), ""}
	}
	need := engine + disk.Reserve + twice*missing
	if free < need {
		return Finding{check, Problem, fmt.Sprintf("%s are free where the data folder lies, about %s are needed", disk.Bytes(free), disk.Bytes(need)), "ingot rm --unused"}
	}
	return fine(check, "%s free", disk.Bytes(free))
}

// checkEngine looks for Python, pip and the engine, and lets the engine work.
func (o Options) checkEngine(ctx context.Context) []Finding {
	const check = "engine"
	if len(o.Local) == 0 {
		return []Finding{fine(check, "none is needed: no model of the configuration is local")}
	}
	found := []Finding{checkPython(ctx)}
	e, err := install.Find(ctx, o.Engine)
	if errors.As(err, new(*install.MissingError)) {
		return append(found, Finding{check, Warning, "is not here yet: serve installs it first", "ingot engine install"})
	}
	if err != nil {
		return append(found, Finding{check, Problem, err.Error(), "ingot engine install"})
	}
	if e.Kind == install.LlamaServer {
		found = slices.DeleteFunc(found, func(f Finding) bool { return f.Verdict != OK }) // it needs no Python
	}
	results, err := o.Probe(ctx, e)
	if err != nil {
		return append(found, Finding{check, Problem, err.Error(), "ingot engine verify"})
	}
	for _, r := range results {
		if r.Err != nil {
			return append(found, Finding{check, Problem, fmt.Sprintf("the one in %s fails with a tiny %s model: %s", e.Dir, r.Model, r.Explain()), reinstall(e)})
		}
	}
	return append(found, fine(check, "%s %s works, in %s", e.Kind, e.Version, e.Dir))
}

// reinstall is the command that replaces an engine.
func reinstall(e install.Engine) string {
	if e.Source != install.Installed {
		return "ingot engine list"
	}
	return fmt.Sprintf("rm -r %s && ingot engine install", e.Dir)
}

func checkPython(ctx context.Context) Finding {
	const check = "python"
	py, err := pip.Find(ctx, "")
	if missing, ok := errors.AsType[*pip.MissingError](err); ok {
		return Finding{check, Problem, missing.What, missing.Fix}
	}
	switch {
	case err != nil:
		return Finding{check, Problem, err.Error(), pip.InstallCommand()}
	case !py.AtLeast(3, 10):
		return Finding{check, Problem, fmt.Sprintf("%s is %d.%d; the engine needs 3.10 or newer", py.Path, py.Major, py.Minor), pip.InstallCommand()}
	case !py.Pip:
		return Finding{check, Problem, py.Path + " has no pip, which fetches the engine and models", pip.InstallCommand()}
	}
	return fine(check, "%s is %d.%d and has pip", py.Path, py.Major, py.Minor)
}
