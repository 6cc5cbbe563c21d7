package gguf

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// What a header may hold at most. Real ones stay far below: the largest
// vocabularies in use need about 20 MiB.
const (
	maxHeader    = 64 << 20
	maxEntries   = 1 << 16
	maxTensors   = 1 << 16
	maxKey       = 1 << 10
	maxString    = 4 << 20
	maxToken     = 64 << 10
	maxKept      = 1 << 10
	maxDims      = 4
	maxAlignment = 1 << 20
)

// ReadFile reads the header of the GGUF file at path.
func ReadFile(path string) (*Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read model header: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read model header: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read model header: %s is not a regular file", path)
	}
	h, err := ReadHeader(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

// ReadHeader reads the header of a GGUF file of version 2 or 3 that is size
// bytes long, and checks that every tensor it lists lies inside the file. It
// reads at most 64 MiB and allocates no more than what it reads justifies.
// The error of a file that is too short wraps ErrTruncated.
func ReadHeader(r io.ReaderAt, size int64) (*Header, error) {
	s := &scanner{limit: min(max(size, 0), maxHeader), size: size}
	s.r = bufio.NewReaderSize(io.NewSectionReader(r, 0, s.limit), 64<<10)
	h := s.header()
	if s.err != nil {
		return nil, fmt.Errorf("read model header: %w", s.err)
	}
	return h, nil
}

// scanner reads little-endian values until the first error, which it keeps;
// after it every read yields zero.
type scanner struct {
	r           *bufio.Reader
	pos         int64
	limit, size int64
	err         error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// room reports whether n more bytes can come, and fails if not.
func (s *scanner) room(n uint64) bool {
	if s.err != nil {
		return false
	}
	if n <= uint64(s.limit-s.pos) { //nolint:gosec // pos never passes limit
		return true
	}
	if s.limit < s.size {
		s.fail("header is larger than the %d bytes allowed", s.limit)
	} else {
		s.fail("header needs at least %d bytes more at byte %d of %d: %w", n, s.pos, s.size, ErrTruncated)
	}
	return false
}

func (s *scanner) read(b []byte) {
	if !s.room(uint64(len(b))) {
		return
	}
	k, err := io.ReadFull(s.r, b)
	s.moved(k, err)
}

func (s *scanner) skip(n uint64) {
	if s.room(n) {
		k, err := s.r.Discard(int(n)) //nolint:gosec // room bounds it
		s.moved(k, err)
	}
}

func (s *scanner) moved(n int, err error) {
	if s.pos += int64(n); err != nil {
		s.fail("read byte %d: %w", s.pos, err)
	}
}

// uint reads an unsigned number of n bytes.
func (s *scanner) uint(n int64) uint64 {
	var b [8]byte
	s.read(b[:n])
	return binary.LittleEndian.Uint64(b[:])
}

func (s *scanner) uint32() uint32 { return uint32(s.uint(4)) } //nolint:gosec // 4 bytes

func (s *scanner) uint64() uint64 { return s.uint(8) }

func (s *scanner) string(limit uint64) string {
	n := s.uint64()
	if n > limit {
		s.fail("string of %d bytes at byte %d, at most %d are allowed", n, s.pos, limit)
		return ""
	}
	if !s.room(n) {
		return ""
	}
	b := make([]byte, n)
	s.read(b)
	return string(b)
}

func (s *scanner) header() *Header {
	var begin [len(magic)]byte
	if s.read(begin[:]); s.err == nil && string(begin[:]) != magic {
		s.fail("not a GGUF file: it begins with %q", begin)
	}
	switch v := s.uint32(); {
	case s.err != nil:
	case v == 2 || v == 3:
	case v == 2<<24 || v == 3<<24:
		s.fail("big-endian GGUF files are not supported: convert the file to little-endian")
	default:
		s.fail("GGUF version %d is not supported, 2 and 3 are: convert the model again", v)
	}
	tensors, entries := s.uint64(), s.uint64()
	if tensors > maxTensors {
		s.fail("%d tensors, at most %d are allowed", tensors, maxTensors)
	}
	if entries > maxEntries {
		s.fail("%d metadata entries, at most %d are allowed", entries, maxEntries)
	}
	h := &Header{values: map[string]value{}}
	for i := uint64(0); i < entries && s.err == nil; i++ {
		s.entry(h)
	}
	for i := uint64(0); i < tensors && s.err == nil; i++ {
		s.tensor(h)
	}
	if s.err == nil {
		s.err = h.check(s.pos, s.size)
	}
	return h
}

func (s *scanner) entry(h *Header) {
	key := s.string(maxKey)
	if _, ok := h.values[key]; ok {
		s.fail("metadata key %q appears twice", key)
	}
	v := value{typ: s.uint32()}
	switch v.typ {
	case typeString:
		v.text = s.string(maxString)
	case typeArray:
		s.array(key, &v)
	default:
		v.bits = s.scalar(key, v.typ)
	}
	if s.err == nil {
		h.values[key] = v
	}
}

// scalar reads a fixed-size value as its bits, sign-extended.
func (s *scanner) scalar(key string, t uint32) uint64 {
	n := scalarSize(t)
	if n == 0 {
		s.fail("metadata key %q has unknown type %d", key, t)
		return 0
	}
	v := s.uint(n)
	if t == typeInt8 || t == typeInt16 || t == typeInt32 {
		unused := 64 - 8*n
		v = uint64(int64(v<<unused) >> unused) //nolint:gosec // the same bits
	}
	return v
}

// array notes an array's length, keeps its values if they are few and numbers,
// and skips the rest.
func (s *scanner) array(key string, v *value) {
	v.elem, v.length = s.uint32(), s.uint64()
	if v.elem == typeString {
		if v.length > uint64(s.limit)/8 { //nolint:gosec // limit is never negative here
			s.room(mul(v.length, 8))
			return
		}
		for i := uint64(0); i < v.length && s.err == nil; i++ {
			n := s.uint64()
			if n > maxToken {
				s.fail("metadata key %q has an element of %d bytes, at most %d are allowed", key, n, maxToken)
				return
			}
			if key == vocabularyKey {
				s.token(i, n, v)
			} else {
				s.skip(n)
			}
		}
		return
	}
	size := scalarSize(v.elem)
	if size == 0 {
		s.fail("metadata key %q is an array of type %d, which is not supported", key, v.elem)
		return
	}
	if key == typesKey && size == 4 {
		s.types(v)
		return
	}
	if v.length > maxKept || size < 4 {
		s.skip(mul(v.length, uint64(size))) //nolint:gosec // 1 to 8
		return
	}
	for i := uint64(0); i < v.length && s.err == nil; i++ {
		v.items = append(v.items, s.scalar(key, v.elem))
	}
}

func (s *scanner) tensor(h *Header) {
	t := Tensor{Name: s.string(maxKey)}
	n := s.uint32()
	if n > maxDims {
		s.fail("tensor %q has %d dimensions, at most %d are allowed", t.Name, n, maxDims)
	}
	for i := uint32(0); i < n && s.err == nil; i++ {
		t.Dims = append(t.Dims, s.uint64())
	}
	t.Type, t.Offset = Type(s.uint32()), s.uint64()
	if s.err != nil {
		return
	}
	var err error
	if t.Bytes, err = measure(t.Type, t.Dims); err != nil {
		s.fail("tensor %q: %w", t.Name, err)
		return
	}
	h.Tensors = append(h.Tensors, t)
}

// check completes a header that ends at byte end of a file of size bytes.
func (h *Header) check(end, size int64) error {
	alignment := uint64(defaultAlignment)
	if v, ok := h.values["general.alignment"]; ok {
		alignment = v.bits
		if v.typ != typeUint32 || alignment == 0 || alignment > maxAlignment || alignment&(alignment-1) != 0 {
			return fmt.Errorf("general.alignment %d is not a power of two up to %d", alignment, maxAlignment)
		}
	}
	if h.Architecture() == "" {
		return errors.New("general.architecture is missing: the file is not a model")
	}
	for _, key := range []string{
		"context_length", "embedding_length", "feed_forward_length", "block_count",
		"attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
	} {
		if n := h.largest(h.Architecture() + "." + key); n > math.MaxInt32 {
			return fmt.Errorf("%s.%s %d is not plausible", h.Architecture(), key, n)
		}
	}
	start := pad(uint64(end), alignment) //nolint:gosec // a position is never negative
	names := make(map[string]bool, len(h.Tensors))
	for _, t := range h.Tensors {
		if names[t.Name] {
			return fmt.Errorf("tensor %q appears twice", t.Name)
		}
		names[t.Name] = true
		if t.Offset%alignment != 0 {
			return fmt.Errorf("tensor %q at offset %d is not aligned to %d", t.Name, t.Offset, alignment)
		}
		if last := add(start, add(t.Offset, t.Bytes)); last > uint64(size) { //nolint:gosec // a size is never negative here
			return fmt.Errorf("tensor %q ends at byte %d, the file at %d: %w", t.Name, last, size, ErrTruncated)
		}
	}
	byOffset := slices.SortedFunc(slices.Values(h.Tensors), func(a, b Tensor) int { return cmp.Compare(a.Offset, b.Offset) })
	for i := 1; i < len(byOffset); i++ {
		if a, b := byOffset[i-1], byOffset[i]; a.Offset+a.Bytes > b.Offset {
			return fmt.Errorf("tensors %q and %q overlap", a.Name, b.Name)
		}
	}
	return nil
}
