//go:build guides

package guides_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are all pages for readers, by their path below the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		below, err2 := filepath.Rel(root, path)
		pages[below] = string(text)
		return errors.Join(err, err2)
	})
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	return pages
}

// isGuide reports whether all of a page is run by TestGuides.
func isGuide(name string) bool { return filepath.Dir(name) == filepath.Join("doc", "guides") }

var (
	blocks  = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	links   = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	command = regexp.MustCompile(`(?m)^(?:\$ )?(?:[A-Z_]+=\S* )*(ingot [^#&|\n\\]*)`)
)

// anchors are where links into a page may lead.
func anchors(page string) map[string]bool {
	known := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(blocks.ReplaceAllString(page, ""), -1) {
		known[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return known
}

func TestEveryLinkOfTheDocsLeadsSomewhere(t *testing.T) {
	pages := documents(t)
	for name, page := range pages {
		for _, m := range links.FindAllStringSubmatch(blocks.ReplaceAllString(page, ""), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, ":") {
				continue
			}
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %s: %v", name, m[1], err)
			} else if anchor != "" && !anchors(pages[target])[anchor] {
				t.Errorf("%s: %s: that page has no such heading", name, m[1])
			}
		}
	}
}

// ingot runs the command beside the files of a test.
func ingot(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Getenv("INGOT_BIN"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "INGOT_HOME="+filepath.Join(dir, "home"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestEveryConfigurationOfTheDocsIsInOrder(t *testing.T) {
	variable := regexp.MustCompile(`\$\{([A-Z_]+)\}`)
	for name, page := range documents(t) {
		for i, m := range blocks.FindAllStringSubmatch(page, -1) {
			if m[1] != "yaml" || isGuide(name) || strings.HasPrefix(m[2], "- ") { // a list is a step of a workflow
				continue
			}
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) {
				dir := t.TempDir()
				for _, v := range variable.FindAllStringSubmatch(m[2], -1) {
					t.Setenv(v[1], "a-value-that-is-long-enough")
				}
				if err := os.WriteFile(filepath.Join(dir, "ingot.yaml"), []byte(m[2]), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := ingot(t, dir, "config", "check", "ingot.yaml")
				if err == nil {
					return
				}
				for line := range strings.Lines(out) {
					if !strings.HasSuffix(line, ": no such file or directory\n") { // it is the reader's
						t.Errorf("%s%s", m[2], line)
					}
				}
			})
		}
	}
}

func TestEveryCommandOfTheDocsIsKnown(t *testing.T) {
	for name, page := range documents(t) {
		for _, m := range blocks.FindAllStringSubmatch(page, -1) {
			if m[1] != "sh" && m[1] != "console" || isGuide(name) {
				continue
			}
			for _, c := range command.FindAllStringSubmatch(m[2], -1) {
				words := strings.Fields(c[1])[1:]
				if out, err := ingot(t, t.TempDir(), append(words, "--help")...); err != nil {
					t.Errorf("%s: %s\n%s", name, c[1], out)
				}
			}
		}
	}
}
