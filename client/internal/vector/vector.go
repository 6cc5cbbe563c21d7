// Package vector decodes embeddings in the encodings of the wire.
package vector

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Vector is an embedding in one of its forms: the others are nil.
type Vector struct {
	Floats []float32
	Int8   []int8
	Uint8  []uint8
	Bits   []byte // packed, the first in the highest bit of the first byte
}

// Decode reads what a service answers for an encoding. One that is not known is read as floats.
func Decode(encoding string, raw json.RawMessage) (v Vector, err error) {
	switch encoding {
	case "int8":
		v.Int8, err = Int8(raw)
	case "uint8":
		v.Uint8, err = Uint8(raw)
	case "binary":
		v.Bits, err = SignedBits(raw)
	case "ubinary":
		v.Bits, err = Uint8(raw)
	default:
		v.Floats, err = Floats(raw)
	}
	if err == nil && len(v.Floats)+len(v.Int8)+len(v.Uint8)+len(v.Bits) == 0 {
		err = errors.New("it has no numbers")
	}
	return v, err
}

// Floats reads an array of numbers, or the base64 of little-endian float32 that some servers send unasked.
func Floats(raw json.RawMessage) ([]float32, error) {
	if len(raw) > 0 && raw[0] == '"' {
		return base64Floats(raw)
	}
	var v []float32
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return v, nil
}

func base64Floats(raw json.RawMessage) ([]float32, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	const size = 4
	if len(data)%size != 0 {
		return nil, errors.New("base64 of float32 holds a part of a number")
	}
	v := make([]float32, len(data)/size)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[i*size:]))
		if f := float64(v[i]); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%g at %d is no number of JSON", f, i)
		}
	}
	return v, nil
}

// Int8 reads an array of whole numbers from -128 to 127.
func Int8(raw json.RawMessage) ([]int8, error) {
	var v []int8
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return v, nil
}

// Uint8 reads an array of whole numbers from 0 to 255.
func Uint8(raw json.RawMessage) ([]uint8, error) {
	var wide []uint16 // []uint8 would be read as base64
	if err := json.Unmarshal(raw, &wide); err != nil {
		return nil, err
	}
	v := make([]uint8, len(wide))
	for i, n := range wide {
		if n > math.MaxUint8 {
			return nil, fmt.Errorf("%d at %d is not within 0 and 255", n, i)
		}
		v[i] = uint8(n)
	}
	return v, nil
}

// SignedBits reads packed bits whose bytes are 128 less than they mean.
func SignedBits(raw json.RawMessage) ([]byte, error) {
	signed, err := Int8(raw)
	if err != nil {
		return nil, err
	}
	v := make([]byte, len(signed))
	for i, n := range signed {
		v[i] = uint8(int(n) + 128)
	}
	return v, nil
}
