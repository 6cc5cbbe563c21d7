package mock

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/llm"
)

// longest is how many letters or digits one token holds at most.
const longest = 16

// perMessage is what a chat message costs besides its text.
const perMessage = 3

// Tokens cuts a text by the token rule of the package comment. Joined they are
// the text again; they share its memory.
func Tokens(text string) []string {
	var tokens []string
	for len(text) > 0 {
		n := tokenLen(text)
		tokens = append(tokens, text[:n])
		text = text[n:]
	}
	return tokens
}

// tokenLen is the length in bytes of the first token.
func tokenLen(text string) int {
	n := 0
	if text[0] == ' ' {
		n = 1
	}
	for letters := 0; letters < longest && n < len(text); letters++ {
		r, size := utf8.DecodeRuneInString(text[n:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			break
		}
		n += size
	}
	if n == 0 {
		_, n = utf8.DecodeRuneInString(text)
	}
	return n
}

// countTokens counts without building a list.
func countTokens(text string) int {
	n := 0
	for len(text) > 0 {
		text = text[tokenLen(text):]
		n++
	}
	return n
}

// read is the text of an input. Token ids stand for the numbers that they are,
// a space between them, so that their count is their count of tokens.
func read(in llm.Input) string {
	switch in := in.(type) {
	case llm.Text:
		return in.String()
	case llm.Tokens:
		var b strings.Builder
		for i, id := range in {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(strconv.Itoa(id))
		}
		return b.String()
	case llm.Picture:
		if in.Text != nil {
			return in.Text.String()
		}
	}
	return ""
}

// numbers is what count answers: "1 2 3 …", each number a token. They share one text.
func numbers(n int) []string {
	text := make([]byte, 0, 8*n)
	ends := make([]int, n)
	for i := range ends {
		if i > 0 {
			text = append(text, ' ')
		}
		text = strconv.AppendInt(text, int64(i+1), 10)
		ends[i] = len(text)
	}
	shared, tokens, begin := string(text), make([]string, n), 0
	for i, end := range ends {
		tokens[i], begin = shared[begin:end], end
	}
	return tokens
}

// cut cuts tokens after the first few, the limit, and before
// the stop sequence that is completed first, or what the filter censors. It says why the answer ends: an
// answer that fits the limit exactly is complete.
func cut(tokens []string, limit int, stops []string) ([]string, llm.Finish) {
	finish := llm.FinishStop
	if len(tokens) > limit {
		tokens, finish = tokens[:limit], llm.FinishLength
	}
	text := strings.Join(tokens, "")
	start, end, ended := len(text), len(text)+1, llm.FinishStop
	if at := strings.Index(text, Censor); at >= 0 {
		start, end, ended = at, at+len(Censor), llm.FinishFilter
	}
	for _, stop := range stops {
		at := strings.Index(text, stop)
		if stop == "" || at < 0 {
			continue
		}
		if e := at + len(stop); e < end || e == end && at < start {
			start, end, ended = at, e, llm.FinishStop
		}
	}
	if end > len(text) {
		return tokens, finish
	}
	return Tokens(text[:start]), ended
}
