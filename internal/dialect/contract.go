package dialect

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// Members says what a door does with the root members of a request that its contract knows.
type Members map[string]request.Admission

// NewMembers makes Members of names with spaces between: those that are obeyed, those that ask for nothing which an answer could
// show, and those that are accepted but not obeyed, which the answer says.
func NewMembers(obeyed, silent, dropped string) Members {
	m := Members{}
	for names, as := range map[string]request.Admission{obeyed: request.Take, silent: request.Ignore, dropped: request.Drop} {
		for name := range strings.FieldsSeq(names) {
			m[name] = as
		}
	}
	return m
}

// Extras is what the header extra-parameters wants done with members that a contract does not know (doc/protocol.md §3.6).
type Extras struct {
	Given   bool // the header is there, and not blank
	Unknown request.Admission
	MayDrop bool // a target may leave out what it cannot do
}

// ReadExtras reads the header; legacy adds the old words ignore and allow. The error is an UnknownParam.
func ReadExtras(h http.Header, legacy bool) (Extras, error) {
	given := agreed(h.Values("Extra-Parameters"))
	value := strings.ToLower(given)
	if legacy {
		switch value {
		case "ignore":
			value = "drop"
		case "allow":
			value = "pass-through"
		}
	}
	e := Extras{Given: value != "", Unknown: request.Refuse}
	switch value {
	case "", "error":
	case "drop":
		e.Unknown, e.MayDrop = request.Drop, true
	case "pass-through":
		e.Unknown = request.Take
	default:
		const most = 64
		return e, &llm.Error{
			Kind:  llm.UnknownParam,
			Param: "extra-parameters",
			Message: "Unexpected EXTRA_PARAMETERS option " + Cut(given, most) +
				", expected options are ['error', 'drop', 'pass-through']",
		}
	}
	return e, nil
}

// agreed is the one value that the lines of a header agree on, or all that they say.
func agreed(lines []string) string {
	all := strings.Join(lines, ",")
	one := ""
	for part := range strings.SplitSeq(all, ",") {
		switch part = strings.TrimSpace(part); {
		case part == "":
		case one != "" && !strings.EqualFold(one, part):
			return strings.TrimSpace(all)
		default:
			one = part
		}
	}
	return one
}
