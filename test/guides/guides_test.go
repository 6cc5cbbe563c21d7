//go:build guides

// Package guides_test does what doc/guides says, page by page, with the real command: each fenced block of sh, Python and
// JavaScript is executed from top to bottom, and what a page shows as text or json is compared with what came.
//
// Beside the test each page has a script of its own name, which prepares the reader's machine (an engine, models, servers
// that stand in for those of the page) and then calls guide.
//
//   - A yaml block is written to ingot.yaml.
//   - A text or json block is the output, both streams together, of the block before it. In it … stands for any characters
//     of a line, and a line of … alone for any lines.
//   - `ingot serve` goes on in the background, as in another terminal of the reader's, until the next one or the end of the
//     page. What it shows is its standard output.
//   - 127.0.0.1:8080 is replaced by an address whose port the kernel chose, and back in the output; likewise the addresses
//     that a script has with mock. ~ in an output is the reader's home folder.
//   - Of a page that is no guide, pages holds the scripts: guide runs its commands, samples its Python and JavaScript.
//   - A block in any other language, output without a command, and a command such as `ingot trust` that a sentence names and no
//     block of its page runs, are mistakes.
package guides_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	root     = "../.."
	endpoint = "127.0.0.1:8080"
)

func TestEveryGuideHasAScriptAndEveryScriptAPage(t *testing.T) {
	names := func(pattern, suffix string) (list []string) {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if name := strings.TrimSuffix(filepath.Base(p), suffix); name != "README" {
				list = append(list, name)
			}
		}
		return list
	}
	pages, scripts := names(root+"/doc/guides/*.md", ".md"), names("*.txtar", ".txtar")
	if !slices.Equal(pages, scripts) || len(pages) == 0 {
		t.Errorf("pages %q, scripts %q", pages, scripts)
	}
}

func TestGuides(t *testing.T) { run(t, ".") }

// TestOtherPages does what can be done of pages that are not guides.
func TestOtherPages(t *testing.T) { run(t, "pages") }

// run performs the scripts of a folder.
func run(t *testing.T, dir string) {
	t.Helper()
	world, err := newWorld()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the pages are read side by side, and still are when this function ends
		world.close()
		for _, host := range world.refused() {
			t.Errorf("a page asked %s, for which nothing stands in", host)
		}
	})
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Values[substitutes{}] = map[string]string{}
			return prepare(e)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"certificate": world.certify,
			"engine":      bringEngine,
			"guide":       guide,
			"hub":         world.hub,
			"mock":        world.mock,
			"model":       bringModel,
			"proxy":       world.proxy,
			"samples":     samples,
		},
	})
}

// prepare makes the reader's machine: a home, the command, and the clients' modules.
func prepare(e *testscript.Env) error {
	bin, home := filepath.Join(e.WorkDir, ".bin"), filepath.Join(e.WorkDir, ".home")
	for _, dir := range []string{bin, home} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{
		os.Getenv("INGOT_BIN"):               filepath.Join(bin, "ingot"),
		os.Getenv("INGOT_TEST_NODE_MODULES"): filepath.Join(e.WorkDir, "node_modules"),
	} {
		if err := os.Symlink(from, to); err != nil {
			return err
		}
	}
	e.Setenv("HOME", home)
	e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	e.Setenv("INGOT_TEST_PYTHON", os.Getenv("INGOT_TEST_PYTHON"))
	e.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	e.Setenv("NO_COLOR", "1")
	return nil
}

// engine [MODEL...] gives the reader the engine and models of INGOT_HOME, as files of their own.
func bringEngine(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: engine [MODEL...]")
	}
	from, to := os.Getenv("INGOT_HOME"), filepath.Join(ts.Getenv("HOME"), ".local", "share", "ingot")
	ts.Check(copyTree(filepath.Join(from, "engine"), filepath.Join(to, "engine")))
	ts.Check(os.Mkdir(filepath.Join(to, "models"), 0o700))
	for _, name := range args {
		for _, file := range []string{name + ".gguf", name + ".json"} {
			ts.Check(copyFile(filepath.Join(from, "models", file), filepath.Join(to, "models", file)))
		}
	}
}

// model FILE NAME puts a model of INGOT_HOME where the reader has it.
func bringModel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: model FILE NAME")
	}
	to := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(to), 0o700))
	ts.Check(copyFile(filepath.Join(os.Getenv("INGOT_HOME"), "models", args[1]+".gguf"), to))
}

// copyTree copies a folder, but for what is hidden, as that may be a lock of another process.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		place := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case d.IsDir():
			return os.MkdirAll(place, 0o700)
		case strings.HasPrefix(d.Name(), "."):
			return nil
		}
		return copyFile(path, place)
	})
}

// copyFile copies a file, which is then as executable as what it copies may be.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// substitutes is the key of what stands in for the addresses of a page.
type substitutes struct{}

func replaced(ts *testscript.TestScript) map[string]string {
	return ts.Value(substitutes{}).(map[string]string)
}

// guide PAGE [LANGUAGE...] does what the page says, all of it or only the blocks in these languages.
func guide(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: guide PAGE [LANGUAGE...]")
	}
	follow(ts, args[0], "", args[1:]...)
}

// samples PAGE [FLAG...] runs the samples of a page against `ingot serve` with these flags.
func samples(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: samples PAGE [FLAG...]")
	}
	follow(ts, args[0], "ingot serve "+strings.Join(args[1:], " ")+"\n", "python", "javascript")
}

// follow does what a page says, after a command of the test's.
func follow(ts *testscript.TestScript, name, first string, languages ...string) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	ts.Check(err)
	p, err := parse(string(text), languages...)
	ts.Check(err)
	address, err := free()
	ts.Check(err)
	there := replaced(ts)
	there[endpoint] = address
	ts.Setenv("LISTEN", address)

	prelude, err := os.ReadFile("testdata/prelude.sh")
	ts.Check(err)
	var script bytes.Buffer
	script.Write(prelude)
	script.WriteString(first)
	for _, b := range p.blocks {
		body := b.body
		for from, to := range there {
			body = strings.ReplaceAll(body, from, to)
		}
		ts.Check(os.WriteFile(ts.MkAbs(b.file()), []byte(body), 0o600))
		script.WriteString(b.command())
	}
	ts.Check(os.WriteFile(ts.MkAbs(".guide.sh"), script.Bytes(), 0o600))
	if err := ts.Exec("timeout", "--kill-after", "10", "240", "bash", ".guide.sh"); err != nil {
		ts.Fatalf("%s: %v", name, err)
	}

	for _, b := range p.blocks {
		if b.want == nil {
			continue
		}
		data, err := os.ReadFile(ts.MkAbs(b.output()))
		ts.Check(err)
		got := strings.ReplaceAll(string(data), ts.Getenv("HOME"), "~")
		for to, from := range there {
			got = strings.ReplaceAll(got, from, to)
		}
		if !b.want.shows(got) {
			ts.Fatalf("%s:%d shows\n%s\nbut this came:\n%s", name, b.want.line, b.want.body, got)
		}
	}
}

// free is an address that nobody listens at.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func TestEllipsesOfAPageStandForWhatVaries(t *testing.T) {
	for _, c := range []struct {
		want, got string
		fits      bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\nb\n", "a\nb", true},
		{"a\n", "a\nb\n", false},
		{"id …, ok\n", "id 17, ok\n", true},
		{"id …, ok\n", "id 17\n, ok\n", false},
		{"a\n…\nd\n", "a\nb\nc\nd\n", true},
		{"a\n…\n", "a\n", true},
		{"1.5\n", "1x5\n", false},
	} {
		if got := (&block{body: c.want}).shows(c.got); got != c.fits {
			t.Errorf("%q and %q: %t, want %t", c.want, c.got, got, c.fits)
		}
	}
}

func TestAPageWithWhatIsNotExecutedIsRefused(t *testing.T) {
	fence := func(language, body string) string { return "```" + language + "\n" + body + "\n```\n" }
	for name, c := range map[string]struct{ page, problem string }{
		"another language":      {fence("java", "x"), "line 1: java"},
		"no language":           {fence("", "x"), "line 1: "},
		"output of nothing":     {"\n" + fence("text", "x"), "line 2: output without"},
		"output given twice":    {fence("sh", "x") + fence("text", "x") + fence("text", "y"), "line 7: output without"},
		"an open block":         {"```sh\nx\n", "line 1: the block does not end"},
		"a command in a phrase": {fence("sh", "ingot serve") + "then `ingot trust` says", "`ingot trust` is not run"},
		"a page without blocks": {"nothing", "nothing to run"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(c.page)
			if err == nil || !regexp.MustCompile(regexp.QuoteMeta(c.problem)).MatchString(err.Error()) {
				t.Errorf("%v, want %q", err, c.problem)
			}
		})
	}
}
