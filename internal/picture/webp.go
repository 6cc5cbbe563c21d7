package picture

import (
	"image"
	"io"

	"golang.org/x/image/webp"
)

// decodeWebP decodes a WebP. A lossy one is stored as film is, with black at 16 and white at 235, which the decoder leaves to
// its caller, while the image package counts from 0 to 255.
func decodeWebP(r io.Reader) (image.Image, error) {
	m, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *image.YCbCr:
		return fullRange(m, nil), nil
	case *image.NYCbCrA:
		return fullRange(&m.YCbCr, m), nil
	}
	return m, nil
}

// fullRange converts the studio range of ITU-R BT.601; alpha may be nil.
func fullRange(m *image.YCbCr, alpha *image.NYCbCrA) *image.NRGBA {
	const unit = 1 << 16 // the factors are fractions of it
	rgb := image.NewNRGBA(m.Rect)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		row := rgb.Pix[(y-m.Rect.Min.Y)*rgb.Stride:]
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			c := m.COffset(x, y)
			l := 76_309*(int(m.Y[m.YOffset(x, y)])-16) + unit/2 // 255/219
			cb, cr := int(m.Cb[c])-128, int(m.Cr[c])-128
			p := row[4*(x-m.Rect.Min.X):][:4]
			p[0] = byte(min(max(l+104_597*cr, 0)/unit, 255))
			p[1] = byte(min(max(l-25_675*cb-53_279*cr, 0)/unit, 255))
			p[2] = byte(min(max(l+132_201*cb, 0)/unit, 255))
			p[3] = 255
			if alpha != nil {
				p[3] = alpha.A[alpha.AOffset(x, y)]
			}
		}
	}
	return rgb
}
