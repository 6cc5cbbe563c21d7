package openai

import (
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// large is from which size on a member's value is referred to instead of copied.
const large = 1 << 10

// splice returns the caller's bytes with the edits made. Members that are not edited keep their
// order and their bytes; large ones stay slices of the body, so that a prompt is never copied.
func splice(src llm.Source) [][]byte {
	if len(src.Edits) == 0 {
		return [][]byte{src.Body}
	}
	edits := make(map[string][]byte, len(src.Edits))
	for _, e := range src.Edits {
		edits[e.Member] = e.Value
	}
	root, err := jsonx.Parse(src.Body)
	if err != nil {
		return [][]byte{src.Body} // DecodeChat has refused such a body
	}
	var pieces [][]byte
	o := object{}
	o.open()
	for name, v := range root.Members() {
		if value, ok := edits[name]; ok {
			o.raw(name, value)
			delete(edits, name)
			continue
		}
		if len(v) < large {
			o.raw(name, v)
			continue
		}
		o.member(name)
		pieces = append(pieces, o.b, v)
		o.b = nil
	}
	for _, e := range src.Edits {
		o.raw(e.Member, edits[e.Member])
		delete(edits, e.Member)
	}
	o.close()
	return append(pieces, o.b)
}
