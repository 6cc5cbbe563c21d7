package request

import (
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// large is from which size on a member's value is referred to instead of copied.
const large = 1 << 10

// Splice returns the caller's bytes with the edits made. Members that are not edited keep their
// order and their bytes; large ones stay slices of the body, so that a prompt is never copied.
func Splice(src llm.Source) [][]byte {
	if len(src.Edits) == 0 {
		return [][]byte{src.Body}
	}
	edits := make(map[string][]byte, len(src.Edits))
	for _, e := range src.Edits {
		edits[e.Member] = e.Value
	}
	root, err := jsonx.Parse(src.Body)
	if err != nil {
		return [][]byte{src.Body} // decoding has refused such a body
	}
	var pieces [][]byte
	var w jsonx.Writer
	w.BeginObject()
	for name, v := range root.Members() {
		if value, ok := edits[name]; ok {
			w.Raw(name, value)
			delete(edits, name)
			continue
		}
		if len(v) < large {
			w.Raw(name, v)
			continue
		}
		w.Member(name)
		pieces = append(pieces, w.Next(), v)
		w.Bytes = nil
	}
	for _, e := range src.Edits {
		w.Raw(e.Member, edits[e.Member])
		delete(edits, e.Member)
	}
	w.EndObject()
	return append(pieces, w.Bytes)
}
