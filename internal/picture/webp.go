package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"
	"iter"

	"golang.org/x/image/webp"
)

// decodeWebP decodes a WebP. A lossy one is stored as film is, in the studio range of ITU-R BT.601, which the decoder leaves to
// its caller: there black is 16 and white 235, where the image package has 0 and 255.
func decodeWebP(r io.Reader) (image.Image, error) {
	m, err := webp.Decode(r)
	switch m := m.(type) {
	case *image.YCbCr:
		fullRange(m)
	case *image.NYCbCrA:
		fullRange(&m.YCbCr)
	}
	return m, err
}

// fullRange spreads the planes of an image over all values of a byte.
func fullRange(m *image.YCbCr) {
	const (
		black, white   = 16, 235
		middle, colour = 128, 224 // of the values of a colour, and how many there are
	)
	var light, tint [256]byte
	for v := range 256 {
		light[v] = spread(v-black, white-black, 0)
		tint[v] = spread(v-middle, colour, middle)
	}
	for i, v := range m.Y {
		m.Y[i] = light[v]
	}
	for _, plane := range [][]byte{m.Cb, m.Cr} {
		for i, v := range plane {
			plane[i] = tint[v]
		}
	}
}

// spread stretches what lay in so many steps to 255, from a middle on.
func spread(v, steps, middle int) byte {
	scaled := (2*v*255 + steps) / (2 * steps)
	if v < 0 {
		scaled = (2*v*255 - steps) / (2 * steps)
	}
	return byte(min(max(middle+scaled, 0), 255))
}

// chunks lists the chunks of a WebP.
func chunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for rest := data[min(12, len(data)):]; len(rest) >= 8; {
			n := uint64(binary.LittleEndian.Uint32(rest[4:]))
			if 8+n > uint64(len(rest)) || !yield(string(rest[:4]), rest[8:8+n]) {
				return
			}
			rest = rest[min(8+n+n%2, uint64(len(rest))):]
		}
	}
}

// codesOf is about how much memory codes take where a WebP, or its transparency, is stored without losses: each piece of it
// may have its own.
func codesOf(data []byte) int64 {
	const each, most = 1 << 10, 144 << 20 // for a byte of the file, and what its decoder takes
	for name := range chunks(data) {
		if name == "VP8L" || name == "ALPH" {
			return min(int64(len(data))*each, most)
		}
	}
	return 0
}

// exifOfWebP finds the EXIF block of a WebP; some writers begin it as a JPEG's does.
func exifOfWebP(data []byte) []byte {
	for name, body := range chunks(data) {
		if name == "EXIF" {
			return bytes.TrimPrefix(body, []byte("Exif\x00\x00"))
		}
	}
	return nil
}

// still makes a file of its own of the first frame of an animated WebP, which the decoder does not know; any other file it
// returns as it is.
func still(data []byte) []byte {
	const head, place, size, transparent = 16, 6, 6, 1 << 4 // of a frame: its head, in which its place and its size come first
	for name, frame := range chunks(data) {
		if name != "ANMF" || len(frame) < head {
			continue
		}
		image := frame[head:]
		flags := byte(0)
		if bytes.HasPrefix(image, []byte("ALPH")) {
			flags = transparent
		}
		body := append([]byte("WEBPVP8X\x0a\x00\x00\x00"), flags, 0, 0, 0)
		body = append(append(body, frame[place:place+size]...), image...)
		return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
	}
	return data
}
