package gguf

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestATensorNamedTwiceIsRefused(t *testing.T) {
	const twice = `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`
	if _, err := parseSafeHeader([]byte(twice)); err == nil {
		t.Error("no error")
	}
}

func TestHalfPrecisionSourcesKeepTheirValues(t *testing.T) {
	for h := range uint16(0x7c00) {
		if got := Half(fromHalf(h)); got != h {
			t.Fatalf("%#04x became %#04x", h, got)
		}
	}
	for typ, bits := range map[Type]uint16{F16: 0xc100, BF16: 0xc020} {
		b := binary.LittleEndian.AppendUint16(nil, bits)
		if got := (stored{typ: typ}).value(b); got != -2.5 {
			t.Errorf("%v: %v, want -2.5", typ, got)
		}
	}
}

func FuzzReadSafetensors(f *testing.F) {
	for _, text := range []string{
		`{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[8,16]}}`,
		`{"a":{"dtype":"I64","shape":[18446744073709551615],"data_offsets":[0,16]}}`,
		`{"a":{"dtype":"F16","shape":[],"data_offsets":[9,1]}} {`,
	} {
		f.Add([]byte(text), 16)
	}
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
		b = append(append(b, text...), make([]byte, max(0, min(n, 1<<16)))...)
		tensors, err := readSafetensors(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		var sum int64
		for _, x := range tensors {
			sum += x.data.Size()
		}
		if int(sum) != len(b)-8-len(text) {
			t.Errorf("tensors hold %d of %d bytes", sum, len(b)-8-len(text))
		}
		for _, x := range tensors {
			if x.typ != I64 {
				if err := x.copyAs(&bytes.Buffer{}, F16); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
