package picture

import (
	"image"
	"io"

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
