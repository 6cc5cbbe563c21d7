//go:build guides

package guides_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// page is what of a guide can be executed.
type page struct{ blocks []*block }

// block is a fenced block: something to run, a file to write, or what came of it.
type block struct {
	language string
	line     int // of its fence, from 1
	body     string
	want     *block // what it shows, if the page says so
}

// how says what the shell does with a block: %[2]s is its file, %[3]s its output.
var how = map[string]string{
	"sh":         "{ . ./%[2]s; } >%[3]s 2>&1",
	"python":     `"$INGOT_TEST_PYTHON" %[2]s >%[3]s 2>&1`,
	"javascript": "node %[2]s >%[3]s 2>&1",
	"yaml":       "configure %[2]s",
}

var (
	fence = regexp.MustCompile("^```(.*)$")
	named = regexp.MustCompile("`(ingot [^`]+)`")
)

// parse finds the blocks of a page: all, each of which must be of use, or those in some languages.
func parse(text string, languages ...string) (*page, error) {
	p := &page{}
	var open, last *block
	var prose strings.Builder
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m == nil && open == nil:
			prose.WriteString(line + "\n")
		case m == nil:
			open.body += line + "\n"
		case open == nil:
			open = &block{language: m[1], line: i + 1}
		default:
			if len(languages) == 0 || slices.Contains(languages, open.language) {
				if err := p.add(open, &last); err != nil {
					return nil, err
				}
			}
			open = nil
		}
	}
	switch {
	case open != nil:
		return nil, fmt.Errorf("line %d: the block does not end", open.line)
	case len(p.blocks) == 0:
		return nil, errors.New("there is nothing to run")
	case len(languages) > 0:
		return p, nil
	}
	for _, m := range named.FindAllStringSubmatch(prose.String(), -1) {
		if !slices.ContainsFunc(p.blocks, func(b *block) bool { return b.language == "sh" && strings.Contains(b.body, m[1]) }) {
			return nil, fmt.Errorf("`%s` is not run by any block", m[1])
		}
	}
	return p, nil
}

// add takes a block that has ended; last is the one whose output may follow.
func (p *page) add(b *block, last **block) error {
	switch _, known := how[b.language]; {
	case known:
		p.blocks, *last = append(p.blocks, b), b
	case b.language != "text" && b.language != "json":
		return fmt.Errorf("line %d: %s is not executed by this test", b.line, b.language)
	case *last == nil || (*last).language == "yaml":
		return fmt.Errorf("line %d: output without a block that writes it", b.line)
	default:
		(*last).want, *last = b, nil
	}
	return nil
}

func (b *block) output() string { return fmt.Sprintf("output-%d", b.line) }

// file is called so that node takes it for a module.
func (b *block) file() string { return fmt.Sprintf("block-%d.mjs", b.line) }

// command is what the shell does with the block; at tells where it was, should that fail.
func (b *block) command() string {
	return fmt.Sprintf("at=%d\n"+how[b.language]+"\n", b.line, b.file(), b.output())
}

// shows reports whether an output is what b shows.
func (b *block) shows(output string) bool {
	var p strings.Builder
	for line := range strings.Lines(b.body) {
		line = strings.TrimSuffix(line, "\n")
		if line == "…" {
			p.WriteString(`(?:.*\n)*`)
			continue
		}
		p.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `\n`)
	}
	return regexp.MustCompile(`\A` + p.String() + `\z`).MatchString(strings.TrimSuffix(strings.ReplaceAll(output, "\r\n", "\n"), "\n") + "\n")
}
