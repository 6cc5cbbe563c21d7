// Package document keeps a JSON document with the order of its members and the
// place of every value.
package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/schema"
)

// Node is a value of the caller's document. Members keep their order: a model
// writes them as their author listed them.
type Node struct {
	At      string           // JSON pointer
	Scalar  any              // string, json.Number, bool or nil
	Names   []string         // of the members, in order
	Members map[string]*Node // nil unless it is an object
	Items   []*Node          // nil unless it is an array
}

// Read decodes a document within the bounds of package schema.
func Read(data []byte) (*Node, error) {
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

func (r *reader) value(at string, depth int) (*Node, error) {
	if r.left--; r.left < 0 || depth > schema.MaxDepth {
		return nil, &schema.Error{Pointer: at, Reason: fmt.Sprintf("more than %d values, or nested deeper than %d", schema.MaxNodes, schema.MaxDepth)}
	}
	token, err := r.Token()
	if err != nil {
		return nil, &schema.Error{Pointer: at, Reason: "not JSON: " + err.Error()}
	}
	n := &Node{At: at}
	switch token {
	case json.Delim('{'):
		n.Members = map[string]*Node{}
	case json.Delim('['):
		n.Items = []*Node{}
	default:
		n.Scalar = token
		return n, nil
	}
	for i := 0; r.More(); i++ {
		name := strconv.Itoa(i)
		if n.Members != nil {
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
		case n.Members == nil:
			n.Items = append(n.Items, v)
		case n.Members[name] != nil:
			return nil, &schema.Error{Pointer: at, Reason: fmt.Sprintf("the member %q is there twice", name)}
		default:
			n.Names = append(n.Names, name)
			n.Members[name] = v
		}
	}
	_, err = r.Token()
	return n, err
}

func join(at, name string) string {
	return at + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// Get is a member, nil where there is none.
func (n *Node) Get(name string) *Node { return n.Members[name] }

// Text is a member that is a string.
func (n *Node) Text(name string) (string, bool) {
	if m := n.Get(name); m != nil {
		s, ok := m.Scalar.(string)
		return s, ok
	}
	return "", false
}

// List is the items of a member.
func (n *Node) List(name string) []*Node {
	if m := n.Get(name); m != nil {
		return m.Items
	}
	return nil
}

// Is says whether n is that boolean.
func (n *Node) Is(b bool) bool {
	return n != nil && n.Members == nil && n.Items == nil && n.Scalar == b
}

// find follows a JSON pointer.
func (n *Node) find(pointer string) *Node {
	if pointer == "" {
		return n
	}
	if pointer[0] != '/' {
		return nil
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch {
		case n.Members != nil:
			n = n.Members[token]
		case n.Items != nil:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.Items) {
				return nil
			}
			n = n.Items[i]
		default:
			return nil
		}
		if n == nil {
			return nil
		}
	}
	return n
}

// Target is the schema that a reference in this document names, nil if none.
func (n *Node) Target(ref string) *Node {
	root := n
	if id, ok := root.Text("$id"); ok && id != "" {
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
func (n *Node) anchor(name string) *Node {
	if a, ok := n.Text("$anchor"); ok && a == name {
		return n
	}
	if id, ok := n.Text("$id"); ok && id == "#"+name {
		return n
	}
	for _, m := range n.Names {
		if m == "enum" || m == "const" || m == "default" || m == "examples" {
			continue
		}
		if found := n.Members[m].anchor(name); found != nil {
			return found
		}
	}
	for _, m := range n.Items {
		if found := m.anchor(name); found != nil {
			return found
		}
	}
	return nil
}

// Write appends n as JSON without white space. Of a schema that is not
// enforced wholly it leaves out what left names, or writes it by its other name.
func (n *Node) Write(b []byte, left map[*Node]map[string]string) []byte {
	switch {
	case n.Members != nil:
		b = append(b, '{')
		comma := false
		for _, name := range n.Names {
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
			b = append(Quote(b, as), ':')
			b = n.Members[name].Write(b, left)
		}
		return append(b, '}')
	case n.Items != nil:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.Write(b, left)
		}
		return append(b, ']')
	}
	switch v := n.Scalar.(type) {
	case string:
		return Quote(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	}
	return append(b, "null"...)
}

// Quote appends a JSON string.
func Quote(b []byte, s string) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(b, `""`...) // no string fails to encode
	}
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}
