package call_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/conformance/call"
)

func TestEventsAreReadLenientlyAndTheirFlawsAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		data  []string
		flaws []call.Flaw
	}{
		"as it must be":           {"data: {\"a\":1}\n\ndata: [DONE]\n\n", []string{`{"a":1}`, "[DONE]"}, nil},
		"nothing":                 {"", nil, nil},
		"no space":                {"data:{}\n\n", []string{"{}"}, []call.Flaw{call.FlawSpace}},
		"CRLF":                    {"data: {}\r\n\r\n", []string{"{}"}, []call.Flaw{call.FlawCR}},
		"CR alone":                {"data: {}\rdata: {}\r\r\n", []string{"{}\rdata: {}"}, []call.Flaw{call.FlawCR, call.FlawJoined}},
		"a comment":               {": ping\n\ndata: {}\n\n", []string{"{}"}, []call.Flaw{call.FlawComment, call.FlawBlank}},
		"an event's name":         {"event: x\ndata: {}\n\n", []string{"{}"}, []call.Flaw{call.FlawField}},
		"white space before data": {" data: {}\n\n", nil, []call.Flaw{call.FlawField, call.FlawBlank}},
		"two lines":               {"data: {\"a\":\ndata: 1}\n\n", []string{"{\"a\":\n1}"}, []call.Flaw{call.FlawSplit}},
		"no blank line":           {"data: {}\ndata: {}\n\n", []string{"{}", "{}"}, []call.Flaw{call.FlawJoined}},
		"no end":                  {"data: {}\n\ndata: [DONE]", []string{"{}", "[DONE]"}, []call.Flaw{call.FlawJoined}},
		"one blank line too many": {"data: {}\n\n\n", []string{"{}"}, []call.Flaw{call.FlawBlank}},
		"a byte order mark":       {"\ufeffdata: {}\n\n", []string{"{}"}, []call.Flaw{call.FlawBOM}},
		"no UTF-8":                {"data: \xff\n\n", []string{"\xff"}, []call.Flaw{call.FlawUTF8}},
		"a flaw twice is one":     {"data:{}\n\ndata:{}\n\n", []string{"{}", "{}"}, []call.Flaw{call.FlawSpace}},
	} {
		data, found := call.Events([]byte(c.text))
		var flaws []call.Flaw
		for _, f := range found {
			flaws = append(flaws, f.Flaw)
		}
		if diff := cmp.Diff(c.data, data); diff != "" {
			t.Errorf("%s: data (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.flaws, flaws); diff != "" {
			t.Errorf("%s: flaws (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("data: {\"a\":1}\n\ndata: [DONE]\n\n")
	f.Add("data:x\r\n\r\n: c\n\nevent: e\ndata: a\ndata: b")
	f.Fuzz(func(t *testing.T, text string) {
		data, flaws := call.Events([]byte(text))
		if len(flaws) > 0 {
			return
		}
		// What has no flaw is exactly its events.
		var b strings.Builder
		for _, d := range data {
			b.WriteString("data: " + d + "\n\n")
		}
		if b.String() != text {
			t.Errorf("%q is said to be without flaws, and reads %q", text, b.String())
		}
	})
}
