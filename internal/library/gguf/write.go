package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Writer collects the metadata and tensors of a small GGUF file and writes
// them in the order they were added, so that the same calls make the same
// bytes. The zero value is ready to use, by one goroutine.
type Writer struct {
	entries []byte
	count   uint64
	tensors []pending
}

type pending struct {
	Tensor
	fill func(io.Writer) error
}

func (w *Writer) key(key string, t uint32) {
	w.count++
	w.entries = appendString(w.entries, key)
	w.entries = binary.LittleEndian.AppendUint32(w.entries, t)
}

func (w *Writer) array(key string, t uint32, n int) {
	w.key(key, typeArray)
	w.entries = binary.LittleEndian.AppendUint32(w.entries, t)
	w.entries = binary.LittleEndian.AppendUint64(w.entries, uint64(n)) //nolint:gosec // a length
}

func appendString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// String adds a text.
func (w *Writer) String(key, v string) {
	w.key(key, typeString)
	w.entries = appendString(w.entries, v)
}

// Uint32 adds an unsigned number.
func (w *Writer) Uint32(key string, v uint32) {
	w.key(key, typeUint32)
	w.entries = binary.LittleEndian.AppendUint32(w.entries, v)
}

// Float32 adds a floating-point number.
func (w *Writer) Float32(key string, v float32) {
	w.key(key, typeFloat32)
	w.entries = binary.LittleEndian.AppendUint32(w.entries, math.Float32bits(v))
}

// Bool adds a truth value.
func (w *Writer) Bool(key string, v bool) {
	w.key(key, typeBool)
	w.entries = append(w.entries, 0)
	if v {
		w.entries[len(w.entries)-1] = 1
	}
}

// Strings adds an array of texts.
func (w *Writer) Strings(key string, vs []string) {
	w.array(key, typeString, len(vs))
	for _, v := range vs {
		w.entries = appendString(w.entries, v)
	}
}

// Int32s adds an array of signed numbers.
func (w *Writer) Int32s(key string, vs []int32) {
	w.array(key, typeInt32, len(vs))
	for _, v := range vs {
		w.entries = binary.LittleEndian.AppendUint32(w.entries, uint32(v)) //nolint:gosec // the same bits
	}
}

// Float32s adds an array of floating-point numbers.
func (w *Writer) Float32s(key string, vs []float32) {
	w.array(key, typeFloat32, len(vs))
	for _, v := range vs {
		w.entries = binary.LittleEndian.AppendUint32(w.entries, math.Float32bits(v))
	}
}

// Tensor adds a tensor with its contiguous dimension first. When the file is
// written, fill must write exactly the bytes that the type and the dimensions
// need, little-endian.
func (w *Writer) Tensor(name string, t Type, dims []uint64, fill func(io.Writer) error) {
	w.tensors = append(w.tensors, pending{Tensor{Name: name, Type: t, Dims: dims}, fill})
}

// WriteTo writes the file and returns its length. It may be called again.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	c := &counter{w: bufio.NewWriterSize(out, 256<<10)}
	head, err := w.head()
	if err != nil {
		return 0, fmt.Errorf("write model: %w", err)
	}
	_, _ = c.Write(head) // the counter keeps the error
	c.pad()
	for _, t := range w.tensors {
		start := c.n
		if err := t.fill(c); err != nil {
			return c.n, fmt.Errorf("write tensor %q: %w", t.Name, err)
		}
		if got := c.n - start; c.err == nil && got != int64(t.Bytes) { //nolint:gosec // measure bounds it
			return c.n, fmt.Errorf("write tensor %q: %d bytes instead of %d", t.Name, got, t.Bytes)
		}
		c.pad()
	}
	if c.err == nil {
		c.err = c.w.Flush()
	}
	if c.err != nil {
		return c.n, fmt.Errorf("write model: %w", c.err)
	}
	return c.n, nil
}

// head is everything before the tensor data; it also places the tensors.
func (w *Writer) head() ([]byte, error) {
	b := binary.LittleEndian.AppendUint32([]byte(magic), writeVersion)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(w.tensors)))
	b = binary.LittleEndian.AppendUint64(b, w.count)
	b = append(b, w.entries...)
	offset := uint64(0)
	for i := range w.tensors {
		t := &w.tensors[i]
		var err error
		if t.Bytes, err = measure(t.Type, t.Dims); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		t.Offset = offset
		offset = pad(offset+t.Bytes, defaultAlignment)
		b = appendString(b, t.Name)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(t.Dims))) //nolint:gosec // measure bounds it
		for _, d := range t.Dims {
			b = binary.LittleEndian.AppendUint64(b, d)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(t.Type))
		b = binary.LittleEndian.AppendUint64(b, t.Offset)
	}
	return b, nil
}

// counter counts what it writes and keeps the first error.
type counter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *counter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	k, err := c.w.Write(b)
	c.n += int64(k)
	c.err = err
	return k, err
}

func (c *counter) pad() {
	if gap := -c.n & (defaultAlignment - 1); gap > 0 {
		_, _ = c.Write(make([]byte, gap)) // the counter keeps the error
	}
}
