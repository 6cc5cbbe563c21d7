package route

import "slices"

// Weighted is an Order that asks each target first as often as its Weight says, and then the others in the same manner;
// those without any come last, as they are listed. intn returns a random number from 0 to below n and is called
// concurrently.
func Weighted(intn func(n int) int) func([]Target) []Target {
	return func(targets []Target) []Target {
		out := slices.Clone(targets)
		for i := range out {
			sum := 0
			for j := i; j < len(out); j++ {
				sum += max(0, out[j].Weight)
			}
			if sum == 0 {
				break
			}
			at := i
			for left := intn(sum) - max(0, out[at].Weight); left >= 0; {
				at++
				left -= max(0, out[at].Weight)
			}
			picked := out[at]
			copy(out[i+1:at+1], out[i:at])
			out[i] = picked
		}
		return out
	}
}
