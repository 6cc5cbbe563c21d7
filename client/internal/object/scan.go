package object

import "iter"

// all ranges over the members of a JSON object that is known to be valid: names in their quotes, and values.
// Other values have none.
func all(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		at := skip(data, 0, " \t\r\n")
		if at == len(data) || data[at] != '{' {
			return
		}
		for at++; ; {
			begin := skip(data, at, " \t\r\n,")
			if begin == len(data) || data[begin] != '"' {
				return
			}
			end := text(data, begin)
			from := skip(data, end, " \t\r\n:")
			at = value(data, from)
			if !yield(data[begin:end], data[from:at]) {
				return
			}
		}
	}
}

func skip(data []byte, at int, what string) int {
	for at < len(data) && contains(what, data[at]) {
		at++
	}
	return at
}

func contains(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

// text returns where the string ends that begins at at.
func text(data []byte, at int) int {
	for at++; at < len(data); at++ {
		switch data[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(data)
}

// value returns where the value ends that begins at at.
func value(data []byte, at int) int {
	depth := 0
	for at < len(data) {
		switch data[at] {
		case '"':
			at = text(data, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			if depth == 0 {
				return at // of the object around a number or a word
			}
			depth--
			at++
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
			at++
			continue
		default:
			at++
			continue
		}
		if depth == 0 {
			return at
		}
	}
	return at
}
