//go:build linux && !race

package hostile_test

// raced says whether the race detector watches, in the endpoint too; it multiplies times and memory,
// so that sizes are divided by scale.
const (
	raced = false
	scale = 1
)
