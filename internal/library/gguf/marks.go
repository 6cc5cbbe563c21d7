package gguf

// The keys of a vocabulary.
const (
	vocabularyKey = "tokenizer.ggml.tokens"
	typesKey      = "tokenizer.ggml.token_type"
)

// The bounds of a mark and of how many are kept.
const (
	minMark  = 3
	maxMark  = 64
	maxMarks = 1 << 13
)

// Marks are the tokens that steer a model: those of a type that no ordinary text is made of, which look like <|user|> or
// [INST]. An engine reads them in any text of a prompt.
func (h *Header) Marks() []string {
	var marks []string
	looks := h.values[vocabularyKey].marks
	for _, i := range h.values[typesKey].steering {
		if text, ok := looks[i]; ok {
			marks = append(marks, text)
		}
	}
	return marks
}

// token reads or skips a token of n bytes, and keeps it if it looks like a mark.
func (s *scanner) token(i, n uint64, v *value) {
	if n < minMark || n > maxMark || len(v.marks) >= maxMarks {
		s.skip(n)
		return
	}
	b := make([]byte, n)
	s.read(b)
	if b[0] == '<' || b[0] == '[' {
		if v.marks == nil {
			v.marks = map[uint64]string{}
		}
		v.marks[i] = string(b)
	}
}

// types notes which tokens of a vocabulary are no ordinary text.
func (s *scanner) types(v *value) {
	const control, userDefined = 3, 4
	for i := uint64(0); i < v.length && s.err == nil; i++ {
		if t := s.scalar(typesKey, v.elem); (t == control || t == userDefined) && len(v.steering) < maxMarks {
			v.steering = append(v.steering, i)
		}
	}
}
