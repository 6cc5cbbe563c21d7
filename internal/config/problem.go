package config

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

// source remembers which file a Config came from and where its members stand.
type source struct {
	name    string
	at      map[string]place
	outside map[string]bool // members whose value came from the environment
}

// place finds path, or what holds it.
func (s source) place(path string) place {
	for path != "" {
		if p, ok := s.at[path]; ok {
			return p
		}
		path = holder(path)
	}
	return place{}
}

// quoted is the value of path as a complaint may show it.
func (s source) quoted(path, value string) string {
	if s.outside[path] {
		return "of that name (it is from the environment)"
	}
	return strconv.Quote(value)
}

// holder is the path of what holds path.
func holder(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// problem is one complaint about one member.
type problem struct {
	place
	path, text string
}

type problems []problem

// maxComplaints is how many of them are told.
const maxComplaints = 100

// err joins the complaints in the order of the file; nil when there are none.
func (ps problems) err(name string) error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col), cmp.Compare(a.path, b.path))
	})
	ps = slices.Compact(ps)
	e := make(Errors, 0, min(len(ps), maxComplaints))
	for _, p := range ps {
		if len(e) == maxComplaints {
			e[len(e)-1] = Error{File: name, Text: fmt.Sprintf("and %d more complaints", len(ps)-maxComplaints+1)}
			break
		}
		e = append(e, Error{File: name, Line: p.line, Column: p.col, Member: p.path, Text: p.text})
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

// suggest names the known name nearest to name, else all of them after intro.
func suggest(name string, known []string, intro string) string {
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
