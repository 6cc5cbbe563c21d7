package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ingot-llm/ingot/internal/config"
)

func TestEveryRelativeLinkInTheDocumentsHasATarget(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	for _, file := range documents(t) {
		for _, found := range link.FindAllStringSubmatch(prose(read(t, file)), -1) {
			path, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(path, "://") || strings.HasPrefix(path, "mailto:") {
				continue
			}
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
			}
			info, err := os.Stat(target)
			switch {
			case err != nil:
				t.Errorf("%s links to %s, which is not there", file, found[1])
			case anchor != "" && (info.IsDir() || !slices.Contains(anchors(read(t, target)), anchor)):
				t.Errorf("%s links to %s, which has no such heading", file, found[1])
			}
		}
	}
}

func TestEveryConfigurationInTheDocumentsLoads(t *testing.T) {
	t.Parallel()
	for _, file := range documents(t) {
		for _, block := range configurations(read(t, file)) {
			if _, err := config.Parse(file, []byte(block), anyVariable); err != nil {
				t.Errorf("a configuration in %s does not load: %v\n%s", file, err, block)
			}
		}
	}
}

func TestTheMockDeploymentsInTheDocumentsAreThoseOfServeMock(t *testing.T) {
	t.Parallel()
	for _, block := range configurations(read(t, "../doc/mock.md")) {
		if !strings.Contains(block, "mock-long") {
			continue
		}
		got, err := config.Parse("mock.md", []byte(block), anyVariable)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(config.DefaultMock().Models, got.Models, cmpopts.IgnoreUnexported(config.Model{})); diff != "" {
			t.Errorf("models (-serve --mock +doc/mock.md):\n%s", diff)
		}
		return
	}
	t.Error("doc/mock.md shows no configuration with mock-long")
}

func TestTheArchitectureNamesEveryPackage(t *testing.T) {
	t.Parallel()
	text := read(t, "../doc/architecture.md")
	for _, p := range listPackages(t) {
		name := short(p.ImportPath)
		inside := !strings.HasPrefix(name, "/") && len(p.GoFiles) > 0
		if inside && !strings.Contains(text, "**"+name+"**") {
			t.Errorf("doc/architecture.md has no line for **%s**", name)
		}
	}
}

// documents are the Markdown files of the root and of doc/.
func documents(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("../doc", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fenced = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	inline = regexp.MustCompile("`[^`\n]*`")
)

// prose is a document without its code.
func prose(text string) string {
	return inline.ReplaceAllString(fenced.ReplaceAllString(text, ""), "")
}

// anchors are the names by which a document's headings are linked to.
func anchors(text string) []string {
	var names []string
	for line := range strings.Lines(fenced.ReplaceAllString(text, "")) {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		names = append(names, slug(strings.TrimSpace(title)))
	}
	return names
}

// slug is the name of a heading in a link.
func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// configurations are the YAML blocks that begin with a member of ingot.yaml.
func configurations(text string) []string {
	var members []string
	for f := range reflect.TypeFor[config.Config]().Fields() {
		members = append(members, f.Tag.Get("yaml"))
	}
	var blocks []string
	for _, b := range fenced.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(b[2]) {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			name, _, _ := strings.Cut(line, ":")
			if (b[1] == "yaml" || b[1] == "yml") && slices.Contains(members, name) {
				blocks = append(blocks, b[2])
			}
			break
		}
	}
	return blocks
}

// anyVariable stands for an environment in which everything is set.
func anyVariable(name string) (string, bool) { return "value-of-" + name, true }
