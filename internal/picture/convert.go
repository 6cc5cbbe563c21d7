package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
)

// quality is that of a JPEG that is written anew; what it loses is less than what a model's own scaling does.
const quality = 95

// convert decodes the file, turns it upright and writes it anew.
func (f *file) convert(ctx context.Context) (*Picture, error) {
	decoded, err := f.decodeAll(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, f.broken(err)
	}
	lossy, turn := f.isLossy(decoded), 1
	if f.exif != nil {
		turn = orientation(f.exif(f.data))
	}
	if _, planes := decoded.(*image.YCbCr); !planes || turn != 1 {
		decoded = upright(flatten(decoded, f.width, f.height), turn)
	}
	var out bytes.Buffer
	p := &Picture{Type: "image/png"}
	if lossy {
		p.Type = "image/jpeg" // as PNG it would be many times larger
		err = jpeg.Encode(&out, decoded, &jpeg.Options{Quality: quality})
	} else {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, decoded)
	}
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", p.Type, err)
	}
	p.Data, p.Width, p.Height = out.Bytes(), decoded.Bounds().Dx(), decoded.Bounds().Dy()
	return p, nil
}

// isLossy reports whether an image had lost something already when it was stored.
func (f *file) isLossy(decoded image.Image) bool {
	switch decoded.(type) {
	case *image.YCbCr, *image.NYCbCrA:
		return true
	}
	return f.name == "JPEG"
}

// decodeAll decodes the file, however its decoder ends, and stops when the context does.
func (f *file) decodeAll(ctx context.Context) (m image.Image, err error) {
	defer recovered(&err)
	return f.decode(&until{ctx, bytes.NewReader(f.data)})
}

// until is a reader that ends with a context.
type until struct {
	ctx context.Context //nolint:containedctx // a reader has no other way to see it
	r   io.Reader
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	const step = 64 << 10 // so that it is looked at now and then
	return u.r.Read(p[:min(len(p), step)])
}

// recovered makes an error of a decoder's panic: a file is no reason for the process to end.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("the decoder panicked: %v", v)
	}
}

// broken says what a decoder's error means.
func (f *format) broken(err error) *Error {
	var e *Error
	unsupported := errors.Is(err, bmp.ErrUnsupported)
	if u, ok := errors.AsType[jpeg.UnsupportedError](err); ok {
		e = faulty("This JPEG needs what is not supported (%s): save it as a baseline or progressive JPEG of 8 bits.", string(u))
	} else if u, ok := errors.AsType[png.UnsupportedError](err); ok {
		e = faulty("This PNG needs what is not supported (%s).", string(u))
	} else if unsupported {
		e = faulty("This kind of BMP is not supported: only uncompressed ones of 1, 2, 4, 8, 24 or 32 bits are.")
	} else {
		e = faulty("The %s is broken or cut off.", f.name)
	}
	e.Err = err
	return e
}

// flatten draws an image over white, as a model knows no transparency. A frame of a GIF need not fill the whole.
func flatten(m image.Image, width, height int) *image.RGBA {
	flat := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, m.Bounds(), m, m.Bounds().Min, draw.Over)
	return flat
}

// upright turns an image that was stored in one of the eight orientations of EXIF.
func upright(m *image.RGBA, turn int) *image.RGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	// Of which stored pixel the first of the new image is made, and how far it is from there to the next in its row and column.
	var first, right, down int
	switch turn {
	case 2:
		first, right, down = w-1, -1, w
	case 3:
		first, right, down = w*h-1, -1, -w
	case 4:
		first, right, down = w*h-w, 1, -w
	case 5:
		first, right, down = 0, w, 1
	case 6:
		first, right, down = w*h-w, -w, 1
	case 7:
		first, right, down = w*h-1, -w, -1
	case 8:
		first, right, down = w-1, w, -1
	default:
		return m
	}
	if turn >= 5 {
		w, h = h, w
	}
	turned := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		from := first + y*down
		row := turned.Pix[y*turned.Stride:][:4*w]
		for x := 0; x < len(row); x += 4 {
			copy(row[x:x+4], m.Pix[4*from:][:4])
			from += right
		}
	}
	return turned
}
