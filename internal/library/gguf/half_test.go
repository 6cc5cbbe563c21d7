package gguf_test

import (
	"math"
	"testing"

	"github.com/ingot-llm/ingot/internal/library/gguf"
)

// halfValue is the value of a half-precision number by its definition.
func halfValue(h uint16) float64 {
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	if exp == 0 {
		return math.Ldexp(frac, -24)
	}
	return math.Ldexp(1024+frac, exp-25)
}

func TestHalfRoundsToTheNearestAndTiesToEven(t *testing.T) {
	for h := range uint16(0x7c00) {
		v := float32(halfValue(h))
		middle := float32((halfValue(h) + halfValue(h+1)) / 2) // of the largest: 65520
		even := h + h&1
		for _, c := range []struct {
			in   float32
			want uint16
		}{
			{v, h},
			{math.Nextafter32(middle, 0), h},
			{middle, even},
			{math.Nextafter32(middle, math.MaxFloat32), h + 1},
		} {
			if got := gguf.Half(c.in); got != c.want {
				t.Fatalf("Half(%v) = %#04x, want %#04x", c.in, got, c.want)
			}
			if got := gguf.Half(-c.in); got != c.want|0x8000 {
				t.Fatalf("Half(%v) = %#04x, want %#04x", -c.in, got, c.want|0x8000)
			}
		}
	}
}

func TestHalfOfTheExtremes(t *testing.T) {
	for in, want := range map[float32]uint16{
		math.MaxFloat32:             0x7c00,
		-math.MaxFloat32:            0xfc00,
		float32(math.Inf(1)):        0x7c00,
		math.SmallestNonzeroFloat32: 0,
		65519.996:                   0x7bff,
	} {
		if got := gguf.Half(in); got != want {
			t.Errorf("Half(%v) = %#04x, want %#04x", in, got, want)
		}
	}
	if h := gguf.Half(float32(math.NaN())); h&0x7c00 != 0x7c00 || h&0x3ff == 0 {
		t.Errorf("Half(NaN) = %#04x", h)
	}
}
