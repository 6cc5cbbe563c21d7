// Package nearest finds the name that somebody probably meant, for complaints.
package nearest

import "strings"

// longest bounds the words that are compared, in bytes: nobody meant a name by a longer one.
const longest = 100

// Name is the one of names that takes the fewest edits from word, whatever the case; "" when none is
// near. One that begins with word, or word with it, is two edits away at most. Of equally near ones
// it is the first.
func Name(word string, names []string) string {
	if word == "" || len(word) > longest {
		return ""
	}
	w := strings.ToLower(word)
	best, least := "", max(2, len(w)/3)+1
	for _, name := range names {
		n := strings.ToLower(name)
		d := edits(w, n)
		if n != "" && (strings.HasPrefix(n, w) || strings.HasPrefix(w, n)) {
			d = min(d, 2)
		}
		if d < least && d < max(len(w), len(n)) {
			best, least = name, d
		}
	}
	return best
}

// edits counts inserted, removed, replaced and swapped bytes between a and b.
func edits(a, b string) int {
	before, above, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, make([]int, len(b)+1)
	}
	return above[len(b)]
}
