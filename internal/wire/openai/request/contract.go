// Package request decodes the requests of the family as a door receives them, by the contract that the door keeps.
package request

import (
	"fmt"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Admission is what a door does with a root member.
type Admission byte

// The admissions: a member is taken, taken where the target obeys it and else listed as dropped, left out, left out and listed
// as dropped, or refused.
const (
	Take Admission = iota
	Offer
	Ignore
	Drop
	Refuse
)

// Contract is what a door says about the root members of a request.
type Contract struct {
	Wire llm.Wire
	// Admit judges a member by name.
	Admit func(member string) Admission
	// Refused makes the error of the members that were refused.
	Refused func(members []string, first jsonx.Value) *llm.Error
	// Both tells that OpenAI's members are the contract's own, too, whose values are checked as OpenAI's are.
	Both bool
	// MayDrop lets targets leave out what they cannot do.
	MayDrop bool
}

// openAI reports whether the contract is one of OpenAI's, whose bounds are tighter (doc/protocol.md §8.5.2).
func (c *Contract) openAI() bool { return c.Wire == llm.WireAzure || c.Wire == llm.WireOpenAI }

// open parses a body and walks its root members through the contract; set is called for those taken.
func (f *fields) open(body []byte, c Contract, set func(name string, v jsonx.Value)) error {
	f.openAI, f.both, f.legacy = c.openAI(), c.Both, c.Admit("functions") == Take
	root, err := jsonx.ParseMembers(body, maxMembers+1)
	if err != nil {
		return &llm.Error{Kind: llm.Malformed, Message: "The request body is not valid JSON: " + err.Error() + "."}
	}
	if root.Value.Kind() != jsonx.Object {
		return &llm.Error{Kind: llm.Malformed, Message: "The request body must be a JSON object."}
	}
	f.root = root
	for i := range root.Members {
		if i == maxMembers {
			f.fail("too_long", fmt.Sprintf("A request should have at most %d members", maxMembers), nil)
			break
		}
		name, v := root.Members[i].Name, root.Members[i].Value
		switch c.Admit(name) {
		case Take:
			set(name, v)
		case Offer:
			if asksNothing(name, v) {
				f.ignored = append(f.ignored, name)
				continue
			}
			f.offered = append(f.offered, name)
			set(name, v)
		case Ignore:
			f.ignored = append(f.ignored, name)
		case Drop:
			f.dropped = append(f.dropped, name)
		case Refuse:
			if f.refused == nil {
				f.first = v
			}
			if len(f.refused) < maxRefused {
				f.refused = append(f.refused, name)
			}
		}
	}
	return nil
}

// finish reports the errors, the contract's before the values', and notes the source.
func (f *fields) finish(e *llm.Envelope, c Contract, body []byte) error {
	if len(f.refused) > 0 {
		return c.Refused(f.refused, f.first)
	}
	if len(f.details) > 0 {
		return llm.Faulty(f.details...)
	}
	e.MayDrop, e.Dropped, e.Offered = c.MayDrop, f.dropped, f.offered
	e.SetSource(c.Wire, body, f.root.Members, append(f.ignored, f.dropped...)...)
	return nil
}

// asksNothing reports whether an offered member has the value that every target obeys: none, and to store nothing.
func asksNothing(name string, v jsonx.Value) bool {
	return v.Null() || name == "store" && v.Kind() == jsonx.Bool && v[0] == 'f'
}
