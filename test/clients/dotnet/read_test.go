package dotnet_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// thrown is an exception of the SDK, or of the parser that it uses.
type thrown struct{ message string }

func (e *thrown) Error() string { return e.message }

func throw(format string, arguments ...any) { panic(&thrown{fmt.Sprintf(format, arguments...)}) }

// catch is what read throws.
func catch(read func()) (err error) {
	defer func() {
		if e, ok := recover().(*thrown); ok {
			err = e
		}
	}()
	read()
	return nil
}

// An element is a value of a JSON document. Its methods throw as those of System.Text.Json do.
type element json.RawMessage

type member struct {
	name  string
	value element
}

var whole = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// document parses a whole text, which may be 64 levels deep.
func document(text []byte) element {
	depth, deepest := 0, 0
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			throw("JsonException: %v in %s", err, text)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	if !json.Valid(text) || deepest > 64 {
		throw("JsonException: %s", text)
	}
	return element(text)
}

func (e element) null() bool { return string(e) == "null" }

// str is a string; null is none.
func (e element) str() string {
	var text *string
	if err := json.Unmarshal(e, &text); err != nil {
		throw("InvalidOperationException: a string was expected: %s", e)
	}
	if text == nil {
		return ""
	}
	return *text
}

// name is the value of an extensible enumeration, which must not be null.
func (e element) name() string {
	if e.null() {
		throw("ArgumentNullException: %s", e)
	}
	return e.str()
}

// integer is a number without fraction or exponent that fits.
func (e element) integer(bits int) int64 {
	n, err := strconv.ParseInt(string(e), 10, bits)
	if err != nil || !whole.Match(e) {
		throw("FormatException: no integer of %d bits: %s", bits, e)
	}
	return n
}

func (e element) object() []member {
	dec := json.NewDecoder(bytes.NewReader(e))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		throw("InvalidOperationException: an object was expected: %s", e)
	}
	var members []member
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			throw("JsonException: %v", err)
		}
		members = append(members, member{fmt.Sprint(name), element(value)})
	}
	return members
}

func (e element) array() []element {
	var raw []json.RawMessage
	if err := json.Unmarshal(e, &raw); err != nil || e.null() {
		throw("InvalidOperationException: an array was expected: %s", e)
	}
	elements := make([]element, len(raw))
	for i, each := range raw {
		elements[i] = element(each)
	}
	return elements
}

// each gives the members of an object to whoever knows their names; the SDK ignores the others.
func (e element) each(known map[string]func(element)) {
	for _, m := range e.object() {
		if read := known[m.name]; read != nil {
			read(m.value)
		}
	}
}

type (
	usage struct{ Prompt, Completion, Total int64 }

	toolCall struct {
		ID, Type, Name, Arguments string
	}

	completion struct {
		ID, Model, Role, Content, FinishReason string
		Created                                int64
		Choices                                int
		ToolCalls                              []toolCall
		Usage                                  usage
	}

	// An update is one that the SDK makes of a chunk: one for each call of each choice.
	update struct {
		ID, Model, Role, Content, FinishReason string
		Created                                int64
		Call                                   *callUpdate
		Usage                                  *usage
	}

	callUpdate struct {
		ID, Name, Arguments string
		Index               int64
	}

	vectors struct {
		ID, Model     string
		Embeddings    []string // raw JSON
		Indices       []int64
		Prompt, Total int64
	}
)

func readUsage(e element) (u usage) {
	e.each(map[string]func(element){
		"prompt_tokens":     func(e element) { u.Prompt = e.integer(32) },
		"completion_tokens": func(e element) { u.Completion = e.integer(32) },
		"total_tokens":      func(e element) { u.Total = e.integer(32) },
	})
	return u
}

func readCall(e element) (c toolCall) {
	e.each(map[string]func(element){
		"id":   func(e element) { c.ID = e.str() },
		"type": func(e element) { c.Type = e.name() },
		"function": func(e element) {
			e.each(map[string]func(element){
				"name":      func(e element) { c.Name = e.str() },
				"arguments": func(e element) { c.Arguments = e.str() },
			})
		},
	})
	return c
}

// readCompletion reads a whole answer; content, finish reason and calls are those of the first choice, which there must be.
func readCompletion(e element) (c completion) {
	choice := func(e element, first bool) {
		var one completion
		e.each(map[string]func(element){
			"index":         func(e element) { e.integer(32) },
			"finish_reason": func(e element) { one.FinishReason = e.str() },
			"message": func(e element) {
				e.each(map[string]func(element){
					"role":    func(e element) { one.Role = e.name() },
					"content": func(e element) { one.Content = e.str() },
					"tool_calls": func(e element) {
						if e.null() {
							return
						}
						for _, each := range e.array() {
							one.ToolCalls = append(one.ToolCalls, readCall(each))
						}
					},
				})
			},
		})
		if first {
			c.FinishReason, c.Role, c.Content, c.ToolCalls = one.FinishReason, one.Role, one.Content, one.ToolCalls
		}
	}
	e.each(map[string]func(element){
		"id":      func(e element) { c.ID = e.str() },
		"created": func(e element) { c.Created = e.integer(64) },
		"model":   func(e element) { c.Model = e.str() },
		"usage":   func(e element) { c.Usage = readUsage(e) },
		"choices": func(e element) {
			for i, each := range e.array() {
				choice(each, i == 0)
				c.Choices++
			}
		},
	})
	if c.Choices == 0 {
		throw("ArgumentOutOfRangeException: no choice")
	}
	return c
}

// readChunk makes the updates of a chunk.
func readChunk(e element) (updates []update) {
	var common update
	choice := func(e element) {
		one := common
		var calls []*callUpdate
		e.each(map[string]func(element){
			"index":         func(e element) { e.integer(32) },
			"finish_reason": func(e element) { one.FinishReason = e.str() },
			"delta": func(e element) {
				e.each(map[string]func(element){
					"role":    func(e element) { one.Role = e.name() },
					"content": func(e element) { one.Content = e.str() },
					"tool_calls": func(e element) {
						for _, each := range e.array() {
							calls = append(calls, readCallUpdate(each))
						}
					},
				})
			},
		})
		if calls == nil {
			calls = []*callUpdate{nil}
		}
		for _, each := range calls {
			one.Call = each
			updates = append(updates, one)
		}
	}
	var choices []element
	e.each(map[string]func(element){
		"id":                 func(e element) { common.ID = e.str() },
		"created":            func(e element) { common.Created = e.integer(64) },
		"model":              func(e element) { common.Model = e.str() },
		"system_fingerprint": func(e element) { e.str() },
		"choices":            func(e element) { choices = e.array() },
		"usage": func(e element) {
			if bytes.HasPrefix(e, []byte("{")) {
				u := readUsage(e)
				common.Usage = &u
			}
		},
	})
	for _, each := range choices {
		choice(each)
	}
	if len(choices) == 0 {
		return []update{common}
	}
	return updates
}

func readCallUpdate(e element) *callUpdate {
	var c callUpdate
	e.each(map[string]func(element){
		"id":    func(e element) { c.ID = e.str() },
		"index": func(e element) { c.Index = e.integer(32) },
		"function": func(e element) {
			e.each(map[string]func(element){
				"name":      func(e element) { c.Name = e.str() },
				"arguments": func(e element) { c.Arguments = e.str() },
			})
		},
	})
	return &c
}

func readVectors(e element) (v vectors) {
	e.each(map[string]func(element){
		"id":    func(e element) { v.ID = e.str() },
		"model": func(e element) { v.Model = e.str() },
		"usage": func(e element) { u := readUsage(e); v.Prompt, v.Total = u.Prompt, u.Total },
		"data": func(e element) {
			for _, each := range e.array() {
				each.each(map[string]func(element){
					"embedding": func(e element) { v.Embeddings = append(v.Embeddings, string(e)) },
					"index":     func(e element) { v.Indices = append(v.Indices, e.integer(32)) },
				})
			}
		},
	})
	return v
}

// stream reads events as the SDK's reader does: one field in each, a blank line after it, comments left out, and an end that is told.
func stream(body io.Reader, yield func(update)) {
	lines := bufio.NewReader(body)
	line := func() (string, bool) {
		text, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && text == "" {
			return "", false
		}
		if err != nil && !errors.Is(err, io.EOF) {
			throw("IOException: %v", err)
		}
		return strings.TrimRight(text, "\r\n"), true
	}
	for {
		text, ok := line()
		switch {
		case !ok:
			throw("the stream has ended without [DONE], and the enumerator asks for ever")
		case text == "":
			continue
		}
		if next, ok := line(); ok && next != "" {
			throw("NotSupportedException: an event of several lines: %q %q", text, next)
		}
		name, value, found := strings.Cut(text, ":")
		switch {
		case !found:
			throw("ArgumentOutOfRangeException: a line without colon: %q", text)
		case name == "":
			continue
		case name != "data":
			throw("InvalidDataException: a field %q", name)
		}
		value = strings.TrimPrefix(value, " ")
		if value == "[DONE]" {
			return
		}
		for _, each := range readChunk(document([]byte(value))) {
			yield(each)
		}
	}
}

// A failure is a RequestFailedException.
type failure struct {
	Status        int
	Code, Message string
}

// answer is the body of an answer, which the SDK takes with status 200 alone; it fails the test otherwise.
func answer(t *testing.T, resp *http.Response) element {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s", resp.StatusCode, body)
	}
	return parsed(t, func() element { return document(body) })
}

// parsed is what read makes, which must not throw.
func parsed[T any](t *testing.T, read func() T) (value T) {
	t.Helper()
	if err := catch(func() { value = read() }); err != nil {
		t.Fatal(err)
	}
	return value
}

// failed reads a refusal: the code is the error's, or else the header's.
func failed(t *testing.T, resp *http.Response) failure {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	f := failure{Status: resp.StatusCode, Code: resp.Header.Get("x-ms-error-code")}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("the refusal is %s: %s", resp.Header.Get("Content-Type"), body)
	}
	return parsed(t, func() failure {
		document(body).each(map[string]func(element){"error": func(e element) {
			e.each(map[string]func(element){
				"code":    func(e element) { f.Code = e.str() },
				"message": func(e element) { f.Message = e.str() },
			})
		}})
		return f
	})
}
