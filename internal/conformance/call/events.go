package call

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A Flaw is a way in which a stream's bytes differ from `data: <json>` and a blank line for each event.
type Flaw string

// The flaws, in words.
const (
	FlawCR      Flaw = "a carriage return ends a line"
	FlawComment Flaw = "a comment line"
	FlawSpace   Flaw = "no space after `data:`"
	FlawField   Flaw = "a line that is not `data: …`"
	FlawSplit   Flaw = "one event in several `data:` lines"
	FlawJoined  Flaw = "no blank line after an event"
	FlawBlank   Flaw = "a blank line without an event"
	FlawBOM     Flaw = "a byte order mark"
	FlawUTF8    Flaw = "bytes that are not UTF-8"
)

// Found is a flaw and the line, from 1, where it is first.
type Found struct {
	Flaw Flaw
	Line int
	Text string
}

// Events reads the events of a stream, each with its data, and the first of each kind of flaw. What is
// flawed is read as a lenient client reads it.
func Events(body []byte) (data []string, found []Found) {
	seen := make(map[Flaw]bool)
	flaw := func(f Flaw, line int, text string) {
		if !seen[f] {
			seen[f] = true
			found = append(found, Found{f, line, text})
		}
	}
	if rest, ok := bytes.CutPrefix(body, []byte("\ufeff")); ok {
		flaw(FlawBOM, 1, "")
		body = rest
	}
	var event []string
	end := func() {
		data = append(data, strings.Join(event, "\n"))
		event = nil
	}
	line := 0
	for text := range bytes.Lines(body) {
		line++
		text, ended := bytes.CutSuffix(text, []byte("\n"))
		if !ended {
			flaw(FlawJoined, line, string(text))
		}
		if bytes.IndexByte(text, '\r') >= 0 {
			flaw(FlawCR, line, string(text))
			text = bytes.Trim(text, "\r")
		}
		if !utf8.Valid(text) {
			flaw(FlawUTF8, line, string(text))
		}
		switch rest, isData := bytes.CutPrefix(text, []byte("data:")); {
		case len(text) == 0 && len(event) == 0:
			flaw(FlawBlank, line, "")
		case len(text) == 0:
			end()
		case isData:
			payload, spaced := bytes.CutPrefix(rest, []byte(" "))
			if !spaced {
				flaw(FlawSpace, line, string(text))
			}
			if len(event) > 0 {
				if len(event) == 1 && whole(event[0]) {
					flaw(FlawJoined, line, string(text))
					end()
				} else {
					flaw(FlawSplit, line, string(text))
				}
			}
			event = append(event, string(payload))
		case text[0] == ':':
			flaw(FlawComment, line, string(text))
		default:
			flaw(FlawField, line, string(text))
		}
	}
	if len(event) > 0 {
		flaw(FlawJoined, line, event[len(event)-1])
		end()
	}
	return data, found
}

// whole says whether a line is complete by itself.
func whole(text string) bool {
	return strings.HasPrefix(text, "[DONE]") || strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}")
}
