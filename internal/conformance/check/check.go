// Package check is what the checks of the contract are made of: what a check is, the T it speaks
// through, and answers that are looked at member by member.
package check

import "strings"

// Feature is something that a server need not have.
type Feature string

// The features, as --without names them.
const (
	Keys        Feature = "keys"
	Info        Feature = "info"
	Chat        Feature = "chat"
	Completions Feature = "completions"
	Embeddings  Feature = "embeddings"
	Images      Feature = "images"
	Tools       Feature = "tools"
	Format      Feature = "format"
	Reasoning   Feature = "reasoning"
	Names       Feature = "names"
	Filter      Feature = "filter"
	Limits      Feature = "limits"
	Failing     Feature = "failing"
)

// Features lists them all.
func Features() []Feature {
	return []Feature{Keys, Info, Chat, Completions, Embeddings, Images, Tools, Format, Reasoning, Names, Filter, Limits, Failing}
}

// Check is one rule of the contract and how to see whether a server keeps it.
type Check struct {
	// Name is stable: group/subject/rule.
	Name string
	// Section is the rule's place in doc/protocol.md.
	Section string
	// Should marks a rule whose violation is told, but is no failure.
	Should bool
	// Requires is what has to be seen, as a sentence.
	Requires string
	// Breaks says which client suffers from a violation, and how.
	Breaks string
	// Needs is what a server must have for the rule to concern it.
	Needs []Feature
	// Run looks, and reports to T.
	Run func(t *T)
}

// Group is the first part of the name.
func (c *Check) Group() string {
	group, _, _ := strings.Cut(c.Name, "/")
	return group
}

// For adds a need to each check of a list.
func For(f Feature, checks []Check) []Check {
	for i := range checks {
		checks[i].Needs = append([]Feature{f}, checks[i].Needs...)
	}
	return checks
}
