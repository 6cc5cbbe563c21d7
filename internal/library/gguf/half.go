package gguf

import "math"

// Half is f as an IEEE 754 half-precision number, rounded to the nearest one
// and to the even one of two equally near; too large becomes infinity.
func Half(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	exp, frac := int(b>>23&0xff), b&0x7fffff
	switch e := exp - 127; {
	case exp == 0xff && frac != 0:
		return sign | 0x7e00 | uint16(frac>>13)
	case e > 15:
		return sign | 0x7c00
	case e >= -14:
		// A carry out of the fraction rightly raises the exponent.
		return sign + uint16(roundShift(uint32(e+15)<<23|frac, 13)) //nolint:gosec // 15 bits
	case e >= -25:
		return sign | uint16(roundShift(frac|0x800000, uint(-e-1))) //nolint:gosec // 11 bits
	default:
		return sign
	}
}

// roundShift is v>>n, rounded to nearest, ties to even.
func roundShift(v uint32, n uint) uint32 {
	half := uint32(1) << (n - 1)
	return (v + half - 1 + v>>n&1) >> n
}

// fromHalf is the exact value of a half-precision number.
func fromHalf(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(frac)/(1<<24)))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	default:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
}
