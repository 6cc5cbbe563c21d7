// Package tagged reads a YAML file into a struct whose tags say what it takes, and tells everything that is wrong with the file
// at once, each thing with its place. It writes such a struct back, and its JSON Schema. The tags of a field:
//
//	yaml      its name; "-" is none
//	doc       what it is, in a sentence or two
//	default   its value where the file has none
//	enum      the texts it may be; min and max: the numbers
//	word      a word that stands for a duration: none or forever
//	required  it must be there
//	secret    true: it is one; inside: it may hold one
//	named     a list whose entries the file writes as NAME: …; their field Name has it
//	words     a struct that the file may write as one of these words, which is its first field. Where its second field is a
//	          list or a map, that is what else it may be, and otherwise all of its members
//	recursive a list of what holds the field, which is an entry of a named list
//	one_of    of these members of a list's entries each has one
package tagged

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/ingot-llm/ingot/internal/nearest"
)

// place is where something stands in the file, counted from 1; zero is nowhere.
type place struct{ line, col int }

func placeOf(n ast.Node) place {
	// A mapping's own token is its first colon; its first key is where people look.
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return place{}
	}
	p := n.GetToken().Position
	return place{p.Line, p.Column}
}

// Source remembers which file a struct came from and where its members stand. The zero Source is no file.
type Source struct {
	Name    string
	at      map[string]place
	outside map[string]bool // members whose value came from the environment
}

// Given reports whether the file has the member.
func (s Source) Given(path string) bool { _, ok := s.at[path]; return ok }

// Problem is a complaint about a member, or about what holds it where the file does not have it.
func (s Source) Problem(path, text string) Problem { return Problem{s.place(path), path, text} }

// place finds path, or what holds it.
func (s Source) place(path string) place {
	for path != "" {
		if p, ok := s.at[path]; ok {
			return p
		}
		path = Holder(path)
	}
	return place{}
}

// Quoted is the value of path as a complaint may show it.
func (s Source) Quoted(path, value string) string {
	if s.outside[path] {
		return "of that name (it is from the environment)"
	}
	return strconv.Quote(value)
}

// Holder is the path of what holds path.
func Holder(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// Problem is one complaint about one member.
type Problem struct {
	place
	Path, Text string
}

// Problems are complaints about one file.
type Problems []Problem

// maxComplaints is how many of them are told.
const maxComplaints = 100

// Err joins the complaints in the order of the file, as Errors; nil when there are none.
func (ps Problems) Err(name string) error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col), cmp.Compare(a.Path, b.Path))
	})
	ps = slices.Compact(ps)
	e := make(Errors, 0, min(len(ps), maxComplaints))
	for _, p := range ps {
		if len(e) == maxComplaints {
			e[len(e)-1] = Error{File: name, Text: fmt.Sprintf("and %d more complaints", len(ps)-maxComplaints+1)}
			break
		}
		e = append(e, Error{File: name, Line: p.line, Column: p.col, Member: p.Path, Text: p.Text})
	}
	return e
}

// Error is one complaint about a file. Line and Column count from 1 and are 0
// where the complaint has no place.
type Error struct {
	File         string
	Line, Column int
	Member       string
	Text         string
}

// Error is file:line:column: member: text.
func (e Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d:%d", e.Line, e.Column)
	}
	if e.Member != "" {
		s += ": " + e.Member
	}
	return s + ": " + e.Text
}

// Errors are all complaints about one file, in its order.
type Errors []Error

// Error has one complaint a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single complaint.
func (es Errors) Unwrap() []error {
	list := make([]error, len(es))
	for i, e := range es {
		list[i] = e
	}
	return list
}

// Suggest names the known name nearest to name, else all of them after intro.
func Suggest(name string, known []string, intro string) string {
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return intro + strings.Join(known, ", ")
}

func didYouMean(text string, f reflect.StructField) string {
	if near := nearest.Name(text, enum(f)); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
