// Package gguf reads the headers of GGUF model files, writes small ones, and
// converts BERT-family safetensors models to GGUF. Every byte it reads is
// treated as hostile: sizes are checked before they are used.
package gguf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// ErrTruncated is wrapped by the errors about a file that ends before its
// header or its tensors do, which is what an interrupted copy looks like.
var ErrTruncated = errors.New("file is truncated: fetch it again")

const (
	magic            = "GGUF"
	writeVersion     = 3
	defaultAlignment = 32
)

// The types a metadata value can have.
const (
	typeUint8 uint32 = iota
	typeInt8
	typeUint16
	typeInt16
	typeUint32
	typeInt32
	typeFloat32
	typeBool
	typeString
	typeArray
	typeUint64
	typeInt64
	typeFloat64
)

// scalarSize is the encoded size in bytes of a fixed-size metadata type, 0 for
// the others.
func scalarSize(t uint32) int64 {
	switch t {
	case typeUint8, typeInt8, typeBool:
		return 1
	case typeUint16, typeInt16:
		return 2
	case typeUint32, typeInt32, typeFloat32:
		return 4
	case typeUint64, typeInt64, typeFloat64:
		return 8
	default:
		return 0
	}
}

// Type is the storage type of a tensor.
type Type uint32

// The types the Writer and the converter produce; a Header may name more.
const (
	F32  Type = 0
	F16  Type = 1
	I64  Type = 27
	BF16 Type = 30
)

type typeFacts struct {
	name         string
	block, bytes uint64 // elements in one block, and its size
}

func (t Type) facts() (typeFacts, bool) {
	f := [...]typeFacts{
		0: {"F32", 1, 4}, 1: {"F16", 1, 2}, 2: {"Q4_0", 32, 18}, 3: {"Q4_1", 32, 20},
		6: {"Q5_0", 32, 22}, 7: {"Q5_1", 32, 24}, 8: {"Q8_0", 32, 34}, 9: {"Q8_1", 32, 36},
		10: {"Q2_K", 256, 84}, 11: {"Q3_K", 256, 110}, 12: {"Q4_K", 256, 144}, 13: {"Q5_K", 256, 176},
		14: {"Q6_K", 256, 210}, 15: {"Q8_K", 256, 292}, 16: {"IQ2_XXS", 256, 66}, 17: {"IQ2_XS", 256, 74},
		18: {"IQ3_XXS", 256, 98}, 19: {"IQ1_S", 256, 50}, 20: {"IQ4_NL", 32, 18}, 21: {"IQ3_S", 256, 110},
		22: {"IQ2_S", 256, 82}, 23: {"IQ4_XS", 256, 136}, 24: {"I8", 1, 1}, 25: {"I16", 1, 2},
		26: {"I32", 1, 4}, 27: {"I64", 1, 8}, 28: {"F64", 1, 8}, 29: {"IQ1_M", 256, 56}, 30: {"BF16", 1, 2},
		34: {"TQ1_0", 256, 54}, 35: {"TQ2_0", 256, 66}, 39: {"MXFP4", 32, 17}, 40: {"NVFP4", 64, 36},
		41: {"Q1_0", 128, 18}, 42: {"Q2_0", 64, 18},
	}
	if int(t) >= len(f) || f[t].block == 0 {
		return typeFacts{}, false
	}
	return f[t], true
}

// String is the type's usual name, such as "Q4_K".
func (t Type) String() string {
	if f, ok := t.facts(); ok {
		return f.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Tensor is one entry of a header's tensor table.
type Tensor struct {
	Name   string
	Type   Type
	Dims   []uint64 // the contiguous dimension first
	Offset uint64   // bytes from the start of the tensor data
	Bytes  uint64
}

// Elements is the number of values in the tensor.
func (t Tensor) Elements() uint64 {
	n := uint64(1)
	for _, d := range t.Dims {
		n = mul(n, d)
	}
	return n
}

// measure is the size in bytes of a tensor, or why it cannot have one.
func measure(t Type, dims []uint64) (uint64, error) {
	f, ok := t.facts()
	if !ok {
		return 0, fmt.Errorf("unknown tensor %v: the file was made for a newer engine", t)
	}
	if len(dims) == 0 || len(dims) > maxDims {
		return 0, fmt.Errorf("has %d dimensions, 1 to %d are allowed", len(dims), maxDims)
	}
	if slices.Contains(dims, 0) {
		return 0, errors.New("has a dimension of 0")
	}
	if dims[0]%f.block != 0 {
		return 0, fmt.Errorf("row of %d values is not a multiple of the %d in a %v block", dims[0], f.block, t)
	}
	n := mul(Tensor{Dims: dims}.Elements()/f.block, f.bytes)
	if n > math.MaxInt64/2 {
		return 0, fmt.Errorf("dimensions %v are too large", dims)
	}
	return n, nil
}

// mul multiplies and stays at the largest value instead of wrapping.
func mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 {
		return math.MaxUint64
	}
	return lo
}

// add adds and stays at the largest value instead of wrapping.
func add(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

func pad(n, alignment uint64) uint64 {
	return (n + alignment - 1) &^ (alignment - 1)
}
