package gguf

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// maxSafeHeader is far above what the models that are converted here have.
const maxSafeHeader = 8 << 20

// stored is a tensor of a safetensors file: its type, its shape with the
// contiguous dimension last, and its bytes.
type stored struct {
	name string
	typ  Type
	dims []uint64
	data *io.SectionReader
}

// readSafetensors reads the header of a safetensors file that is size bytes
// long. Its tensors fill the rest of the file without a gap or an overlap.
func readSafetensors(r io.ReaderAt, size int64) (map[string]stored, error) {
	if size < 8 {
		return nil, fmt.Errorf("safetensors file of %d bytes: %w", size, ErrTruncated)
	}
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("read safetensors header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxSafeHeader {
		return nil, fmt.Errorf("safetensors header of %d bytes, at most %d are allowed", n, maxSafeHeader)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("safetensors header of %d bytes in a file of %d: %w", n, size, ErrTruncated)
	}
	text := make([]byte, n)
	if _, err := r.ReadAt(text, 8); err != nil {
		return nil, fmt.Errorf("read safetensors header: %w", err)
	}
	base := 8 + int64(n)
	entries, err := parseSafeHeader(text)
	if err != nil {
		return nil, fmt.Errorf("parse safetensors header: %w", err)
	}
	slices.SortFunc(entries, func(a, b safeEntry) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.Offsets[1], b.Offsets[1]))
	})
	tensors := make(map[string]stored, len(entries))
	var end uint64
	for _, e := range entries {
		switch {
		case e.Offsets[0] < end:
			return nil, fmt.Errorf("tensor %q overlaps another", e.name)
		case e.Offsets[0] > end:
			return nil, fmt.Errorf("nothing owns the %d bytes before tensor %q", e.Offsets[0]-end, e.name)
		case e.Offsets[1] > uint64(size-base): //nolint:gosec // base was checked to be inside
			return nil, fmt.Errorf("tensor %q ends at byte %d of %d: %w", e.name, e.Offsets[1], size-base, ErrTruncated)
		}
		end = e.Offsets[1]
		tensors[e.name] = stored{
			name: e.name,
			typ:  e.typ,
			dims: e.Shape,
			data: io.NewSectionReader(r, base+int64(e.Offsets[0]), int64(end-e.Offsets[0])), //nolint:gosec // inside the file
		}
	}
	if rest := uint64(size-base) - end; rest != 0 { //nolint:gosec // end was checked to be inside
		return nil, fmt.Errorf("nothing owns the last %d bytes of the safetensors file", rest)
	}
	return tensors, nil
}

type safeEntry struct {
	name    string
	typ     Type
	DType   string    `json:"dtype"`
	Shape   []uint64  `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

// parseSafeHeader walks the members itself, since a map would hide a name that
// appears twice.
func parseSafeHeader(text []byte) ([]safeEntry, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil {
		return nil, err
	} else if t != json.Delim('{') {
		return nil, errors.New("is not an object")
	}
	var entries []safeEntry
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, fmt.Errorf("tensor %q appears twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			var ignored json.RawMessage
			if err := d.Decode(&ignored); err != nil {
				return nil, err
			}
			continue
		}
		e := safeEntry{Offsets: [2]uint64{1, 0}}
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		e.name = name
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return entries, nil
}

func (e *safeEntry) check() error {
	switch e.DType {
	case "F32":
		e.typ = F32
	case "F16":
		e.typ = F16
	case "BF16":
		e.typ = BF16
	case "I64":
		e.typ = I64
	default:
		return fmt.Errorf("type %q is not supported: F32, F16, BF16 and I64 are", e.DType)
	}
	n, err := measure(e.typ, e.Shape)
	if err != nil {
		return err
	}
	if e.Offsets[1] < e.Offsets[0] || e.Offsets[1]-e.Offsets[0] != n {
		return fmt.Errorf("offsets %d do not hold the %d bytes of its shape %d", e.Offsets, n, e.Shape)
	}
	return nil
}

// copyAs writes the tensor's values as F32 or F16. It refuses values that are
// not numbers and those that F16 cannot hold.
func (t stored) copyAs(w io.Writer, to Type) error {
	f, _ := t.typ.facts()
	in, out := make([]byte, 16<<10*f.bytes), []byte(nil)
	r := io.NewSectionReader(t.data, 0, t.data.Size())
	for {
		n, err := io.ReadFull(r, in)
		out = out[:0]
		for b := in[:n]; len(b) > 0; b = b[f.bytes:] {
			v := t.value(b)
			h := Half(v)
			switch {
			case math.IsNaN(float64(v)) || math.IsInf(float64(v), 0):
				return fmt.Errorf("tensor %q holds %v, which is not a number", t.name, v)
			case to == F32:
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
			case h&0x7fff == 0x7c00:
				return fmt.Errorf("tensor %q holds %v, which is too large for F16", t.name, v)
			default:
				out = binary.LittleEndian.AppendUint16(out, h)
			}
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (t stored) value(b []byte) float32 {
	switch t.typ {
	case F16:
		return fromHalf(binary.LittleEndian.Uint16(b))
	case BF16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
	default:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
}
