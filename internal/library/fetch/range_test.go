package fetch

import (
	"fmt"
	"testing"
)

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 5-9/10", "bytes 0-0/1", "bytes 5-9/*", "bytes */10", "bytes 9-5/10", "bytes -1-9/10", "items 5-9/10", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start, whole, err := contentRange(s)
		if err == nil && (start < 0 || whole < 0 || whole > 0 && start >= whole) {
			t.Fatalf("%q is from %d of %d", s, start, whole)
		}
		if err == nil && whole > 0 {
			if again := fmt.Sprintf("bytes %d-%d/%d", start, whole-1, whole); again != s {
				if a, w, err := contentRange(again); err != nil || a != start || w != whole {
					t.Fatalf("%q and %q differ", s, again)
				}
			}
		}
	})
}
