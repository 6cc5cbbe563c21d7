package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/picture"
)

// scanned is a grey JPEG of 8 by 8 pixels that comes in so many scans, of which all but the first change nothing. A scan of
// more pixels is as short.
func scanned(frame byte, scans int) []byte {
	segment := func(marker byte, body ...byte) []byte {
		return append([]byte{0xff, marker, 0, byte(len(body) + 2)}, body...)
	}
	table := func(class, symbol byte) []byte { // of one code, which is a 0
		return segment(0xc4, append(append([]byte{class, 1}, make([]byte, 15)...), symbol)...)
	}
	out := []byte("\xff\xd8")
	out = append(out, segment(0xe1, []byte("a thumbnail's \xff\xda\xff\xda\xff\xda")...)...)
	out = append(out, segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	out = append(out, segment(frame, 8, 0, 8, 0, 8, 1, 1, 0x11, 0)...)
	out = append(append(out, table(0x00, 0)...), table(0x10, 0)...)
	last := byte(63)
	if frame == 0xc2 {
		last = 0
	}
	for i := range scans {
		if i > 0 && frame == 0xc2 {
			out = append(append(out, segment(0xda, 1, 1, 0, 1, 63, 0)...), 0x7f)
			continue
		}
		out = append(append(out, segment(0xda, 1, 1, 0, 0, last, 0)...), 0x3f)
	}
	out = append(out, 0xff, 0xd9)
	return append(out, bytes.Repeat([]byte{0xff, 0xda}, 500)...) // a film may follow
}

func TestAJPEGOfManyScansIsRefused(t *testing.T) {
	t.Parallel()
	const sequential, progressive = 0xc0, 0xc2
	for _, c := range []struct {
		frame byte
		scans int
		read  bool
	}{
		{sequential, 1, true},
		{sequential, 4, true},
		{sequential, 5, false},
		{sequential, 1000, false},
		{progressive, 1, true},
		{progressive, 10, true},
		{progressive, 100, true},
		{progressive, 101, false},
		{progressive, 100_000, false},
	} {
		_, err := picture.New(picture.Options{}).Read(t.Context(), dataURL("image/jpeg", scanned(c.frame, c.scans)))
		e, refused := errors.AsType[*picture.Error](err)
		if refused == c.read || refused && e.Msg != "This JPEG comes in more scans than are read: save it anew." {
			t.Errorf("%#x, %d scans: %v", c.frame, c.scans, err)
		}
	}
}

// bits writes what a WebP without losses is made of.
type bits struct {
	bytes []byte
	n     int
}

func (b *bits) put(value uint64, n int) {
	for i := range n {
		if b.n%8 == 0 {
			b.bytes = append(b.bytes, 0)
		}
		b.bytes[b.n/8] |= byte(value>>i&1) << (b.n % 8)
		b.n++
	}
}

// code puts a code, which begins with its highest bit.
func (b *bits) code(value, n int) {
	for i := n - 1; i >= 0; i-- {
		b.put(uint64(value>>i), 1)
	}
}

// trees puts simple codes, each of the one symbol 0.
func (b *bits) trees(n int) {
	for range n {
		b.put(1, 4)
	}
}

// all puts a code in which 256 symbols have 8 bits each, and what is left none.
func (b *bits) all(left int) {
	b.put(0, 1)
	b.put(15, 4)
	for _, length := range []int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} {
		b.put(map[int]uint64{8: 1, 18: 1}[length], 3)
	}
	b.put(0, 1)
	for range 256 {
		b.code(0, 1)
	}
	if left > 0 {
		b.code(1, 1)
		b.put(uint64(left-11), 7)
	}
}

// forest is a WebP of 208 by 200 pixels in which each tile has codes of its own: it takes some 40 MB to decode.
func forest() []byte {
	const wide, high, tile = 52, 50, 4
	b := &bits{}
	b.put(0x2f, 8)
	b.put(wide*tile-1, 14)
	b.put(high*tile-1, 14)
	b.put(0, 1+3+1+1) // opacity, version, no transform, no cache
	b.put(1, 1)       // many codes, for tiles of 4 by 4
	b.put(0, 3)
	b.put(0, 1)
	b.all(24)
	b.all(0)
	b.trees(3)
	for i := range wide * high {
		b.code(i&0xff, 8)
		b.code(i>>8, 8)
	}
	for range wide * high {
		b.trees(1)
		b.all(0)
		b.all(0)
		b.all(0)
		b.trees(1)
	}
	b.bytes = append(b.bytes, make([]byte, 3*wide*high*tile*tile)...)
	chunk := append(binary.LittleEndian.AppendUint32([]byte("WEBPVP8L"), uint32(len(b.bytes))), b.bytes...)
	chunk = append(chunk, make([]byte, len(chunk)%2)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(chunk))), chunk...)
}

// It runs alone, as it looks at the memory of the process.
func TestTheCodesOfAWebPCountAsMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	const images, most = 10, 100 << 20 // the one that is decoded, and the garbage of the last
	url := dataURL("image/webp", forest())
	r := picture.New(picture.Options{Limits: picture.Limits{Memory: 40 << 20}})
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for range images {
		all.Go(func() {
			if _, err := r.Read(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for peak := uint64(0); ; {
		select {
		case <-done:
			if peak > before.HeapAlloc+most {
				t.Errorf("%d of them took %d MB at a time", images, (peak-before.HeapAlloc)>>20)
			}
			return
		case <-tick.C:
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
}
