package llm

import (
	"bytes"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

// Text is a piece of text. It may still be the JSON string it arrived as, which is
// decoded only when somebody reads it. The zero Text is empty.
type Text struct {
	b      []byte
	quoted bool
}

// NewText makes a Text of s.
func NewText(s string) Text { return Text{b: []byte(s)} }

// QuotedText makes a Text of a well-formed JSON string with its quotes, which it aliases.
func QuotedText(quoted []byte) Text { return Text{b: quoted, quoted: true} }

// String decodes the text.
func (t Text) String() string {
	if t.quoted {
		return jsonx.Value(t.b).Text()
	}
	return string(t.b)
}

// Empty reports whether there is no text.
func (t Text) Empty() bool { return len(t.b) == 0 || t.quoted && len(t.b) == 2 }

// AppendJSON appends the text as a JSON string: the one it arrived as, or a new one.
func (t Text) AppendJSON(dst []byte) []byte {
	if t.quoted {
		return append(dst, t.b...)
	}
	return jsonx.AppendString(dst, t.b)
}

// AppendTo appends the decoded text.
func (t Text) AppendTo(dst []byte) []byte {
	if t.quoted {
		return jsonx.AppendUnquoted(dst, t.b)
	}
	return append(dst, t.b...)
}

// Begins reports whether the text begins with prefix; it is decoded only where that takes it.
func (t Text) Begins(prefix string) bool {
	if !t.quoted {
		return bytes.HasPrefix(t.b, []byte(prefix))
	}
	const longest = 6 // bytes of an escape
	head := t.b[1:min(len(t.b), 1+longest*len(prefix))]
	if bytes.IndexByte(head, '\\') < 0 {
		return bytes.HasPrefix(head, []byte(prefix))
	}
	return strings.HasPrefix(t.String(), prefix)
}

// Size is the number of bytes it takes up, an upper bound of the decoded length.
func (t Text) Size() int { return len(t.b) }

// Equal compares the decoded texts.
func (t Text) Equal(o Text) bool { return t.String() == o.String() }

// Clone returns a Text that aliases nothing.
func (t Text) Clone() Text { return Text{bytes.Clone(t.b), t.quoted} }

// join returns t followed by more; it may write into t's spare capacity, so that many joins stay linear.
func (t Text) join(more Text) Text {
	if t.quoted {
		t = Text{b: jsonx.AppendUnquoted(nil, t.b)}
	}
	return Text{b: more.AppendTo(t.b)}
}
