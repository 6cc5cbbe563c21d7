package grammar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/schema"
)

// node is a value of the caller's document. Members keep their order: a model
// writes them as their author listed them.
type node struct {
	at      string           // JSON pointer
	scalar  any              // string, json.Number, bool or nil
	names   []string         // of the members, in order
	members map[string]*node // nil unless it is an object
	items   []*node          // nil unless it is an array
}

// read decodes a document within the bounds of package schema.
func read(data []byte) (*node, error) {
	if len(data) > schema.MaxBytes {
		return nil, &schema.Error{Reason: fmt.Sprintf("%d bytes are more than the %d allowed", len(data), schema.MaxBytes)}
	}
	if !json.Valid(data) {
		return nil, &schema.Error{Reason: "not JSON"}
	}
	r := reader{json.NewDecoder(bytes.NewReader(data)), schema.MaxNodes}
	r.UseNumber()
	return r.value("", 0)
}

type reader struct {
	*json.Decoder
	left int // values
}

func (r *reader) value(at string, depth int) (*node, error) {
	if r.left--; r.left < 0 || depth > schema.MaxDepth {
		return nil, &schema.Error{Pointer: at, Reason: fmt.Sprintf("more than %d values, or nested deeper than %d", schema.MaxNodes, schema.MaxDepth)}
	}
	token, err := r.Token()
	if err != nil {
		return nil, &schema.Error{Pointer: at, Reason: "not JSON: " + err.Error()}
	}
	n := &node{at: at}
	switch token {
	case json.Delim('{'):
		n.members = map[string]*node{}
	case json.Delim('['):
		n.items = []*node{}
	default:
		n.scalar = token
		return n, nil
	}
	for i := 0; r.More(); i++ {
		name := strconv.Itoa(i)
		if n.members != nil {
			token, err := r.Token()
			if err != nil {
				return nil, &schema.Error{Pointer: at, Reason: "not JSON: " + err.Error()}
			}
			name, _ = token.(string)
		}
		v, err := r.value(join(at, name), depth+1)
		switch {
		case err != nil:
			return nil, err
		case n.members == nil:
			n.items = append(n.items, v)
		case n.members[name] != nil:
			return nil, &schema.Error{Pointer: at, Reason: fmt.Sprintf("the member %q is there twice", name)}
		default:
			n.names = append(n.names, name)
			n.members[name] = v
		}
	}
	_, err = r.Token()
	return n, err
}

func join(at, name string) string {
	return at + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// get is a member, nil where there is none.
func (n *node) get(name string) *node { return n.members[name] }

func (n *node) text(name string) (string, bool) {
	if m := n.get(name); m != nil {
		s, ok := m.scalar.(string)
		return s, ok
	}
	return "", false
}

// list is the items of a member.
func (n *node) list(name string) []*node {
	if m := n.get(name); m != nil {
		return m.items
	}
	return nil
}

func (n *node) is(b bool) bool {
	return n != nil && n.members == nil && n.items == nil && n.scalar == b
}

// find follows a JSON pointer.
func (n *node) find(pointer string) *node {
	if pointer == "" {
		return n
	}
	if pointer[0] != '/' {
		return nil
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch {
		case n.members != nil:
			n = n.members[token]
		case n.items != nil:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.items) {
				return nil
			}
			n = n.items[i]
		default:
			return nil
		}
		if n == nil {
			return nil
		}
	}
	return n
}

// target is the schema that a reference of this document names, nil if none.
func target(root *node, ref string) *node {
	if id, ok := root.text("$id"); ok && id != "" {
		ref = strings.TrimPrefix(ref, strings.TrimSuffix(id, "#"))
	}
	if ref == "" {
		return root
	}
	fragment, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	if plain, err := url.PathUnescape(fragment); err == nil {
		fragment = plain
	}
	if fragment == "" || fragment[0] == '/' {
		return root.find(fragment)
	}
	return root.anchor(fragment)
}

// anchor looks for the schema of that name, in the words of any draft.
func (n *node) anchor(name string) *node {
	if a, ok := n.text("$anchor"); ok && a == name {
		return n
	}
	if id, ok := n.text("$id"); ok && id == "#"+name {
		return n
	}
	for _, m := range n.names {
		if m == "enum" || m == "const" || m == "default" || m == "examples" {
			continue
		}
		if found := n.members[m].anchor(name); found != nil {
			return found
		}
	}
	for _, m := range n.items {
		if found := m.anchor(name); found != nil {
			return found
		}
	}
	return nil
}

// write appends n as JSON without white space. Of a schema that is not
// enforced wholly it leaves out what left names, or writes it by its other name.
func (n *node) write(b []byte, left map[*node]map[string]string) []byte {
	switch {
	case n.members != nil:
		b = append(b, '{')
		comma := false
		for _, name := range n.names {
			as := name
			if other, ok := left[n][name]; ok {
				if as = other; as == "" {
					continue
				}
			}
			if comma {
				b = append(b, ',')
			}
			comma = true
			b = append(quote(b, as), ':')
			b = n.members[name].write(b, left)
		}
		return append(b, '}')
	case n.items != nil:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.write(b, left)
		}
		return append(b, ']')
	}
	switch v := n.scalar.(type) {
	case string:
		return quote(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	}
	return append(b, "null"...)
}

// quote appends a JSON string.
func quote(b []byte, s string) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(b, `""`...) // no string fails to encode
	}
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}
