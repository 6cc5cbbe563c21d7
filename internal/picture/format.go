package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// format is a type of image that is read.
type format struct {
	name   string
	magic  string // '?' stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	exif   func([]byte) []byte // the EXIF block of a file, nil where it has none
	weight int64               // bytes of memory that decoding takes for each pixel
}

// formats lists what is read.
var formats = []format{
	{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, exifOfPNG, 16},
	{"JPEG", "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode, exifOfJPEG, 4},
	{"GIF", "GIF87a", gif.DecodeConfig, gif.Decode, nil, 1},
	{"GIF", "GIF89a", gif.DecodeConfig, gif.Decode, nil, 1},
	{"WebP", "RIFF????WEBP", webp.DecodeConfig, decodeWebP, exifOfWebP, 12},
	{"BMP", "BM", bmp.DecodeConfig, bmp.Decode, nil, 4},
}

// progressive is what each pixel of a progressive JPEG takes in all.
const progressive = 20

// A decoder goes over all pixels for every scan, however little is in it.
const (
	mostScans       = 4 // one for each component
	mostProgressive = 100
)

// unread lists what is known by name only. What comes first decides.
var unread = []struct{ name, magic string }{
	{"AVIF", "????ftypavi"},
	{"HEIC", "????ftyphe"},
	{"HEIC", "????ftypmif1"},
	{"HEIC", "????ftypmsf1"},
	{"A film", "????ftyp"},
	{"A film", "\x1a\x45\xdf\xa3"},
	{"TIFF", "II*\x00"},
	{"TIFF", "MM\x00*"},
	{"TIFF", "II+\x00"},
	{"TIFF", "MM\x00+"},
	{"JPEG XR", "II\xbc"},
	{"JPEG XL", "\xff\x0a"},
	{"JPEG XL", "\x00\x00\x00\x0cJXL "},
	{"JPEG 2000", "\x00\x00\x00\x0cjP  "},
	{"JPEG 2000", "\xff\x4f\xff\x51"},
	{"PDF", "%PDF-"},
	{"PostScript", "%!PS"},
	{"ICO", "\x00\x00\x01\x00"},
	{"CUR", "\x00\x00\x02\x00"},
	{"PSD", "8BPS"},
	{"OpenEXR", "\x76\x2f\x31\x01"},
	{"Radiance HDR", "#?RADIANCE"},
	{"QOI", "qoif"},
	{"DDS", "DDS "},
	{"BPG", "BPG\xfb"},
	{"XCF", "gimp xcf"},
	{"MNG", "\x8aMNG"},
	{"A compressed file", "\x1f\x8b"},
	{"A compressed file", "PK\x03\x04"},
}

// markup is what a text begins with that is no image to us, in lower case.
var markup = []struct{ name, sign string }{
	{"SVG", "<svg"},
	{"An HTML page", "<!doctype html"},
	{"An HTML page", "<html"},
	{"JSON", "{"},
}

const readable = "send PNG, JPEG, GIF, WebP or BMP"

// sniff tells the format of a file by its content.
func sniff(data []byte) (*format, error) {
	if len(data) == 0 {
		return nil, faulty("The image is empty.")
	}
	for i := range formats {
		if begins(data, formats[i].magic) {
			return &formats[i], nil
		}
	}
	for _, u := range unread {
		if begins(data, u.magic) {
			return nil, notSupported(u.name)
		}
	}
	const far = 1024 // an SVG may begin with a declaration and comments
	text := strings.ToLower(string(data[:min(len(data), far)]))
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	for _, m := range markup {
		if strings.HasPrefix(text, m.sign) || strings.HasPrefix(text, "<") && strings.Contains(text, m.sign) {
			return nil, notSupported(m.name)
		}
	}
	return nil, faulty("This is no image that is known here: %s.", readable)
}

func notSupported(name string) *Error { return faulty("%s is not supported; %s.", name, readable) }

// begins compares the head of a file, byte by byte.
func begins(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// file is an image whose head was read and found to be within the limits.
type file struct {
	*format
	data          []byte
	width, height int
}

// judge reads the head of an image and decides whether the rest may be decoded.
func (r *Reader) judge(data []byte) (*file, error) {
	if int64(len(data)) > r.limits.Bytes {
		return nil, r.tooLong()
	}
	f, err := sniff(data)
	if err != nil {
		return nil, err
	}
	if f.name == "WebP" {
		data = still(data)
	}
	c, err := f.configOf(data)
	if err != nil {
		return nil, f.broken(err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return nil, faulty("The %s has no pixels: it is %d by %d.", f.name, c.Width, c.Height)
	}
	if side := max(c.Width, c.Height); side > r.limits.Side {
		return nil, &Error{Type: "bytes_too_long", Msg: fmt.Sprintf("An image is at most %d pixels wide and high, and this %s is %d by %d.", r.limits.Side, f.name, c.Width, c.Height)}
	}
	if pixels := int64(c.Width) * int64(c.Height); pixels > r.limits.Pixels {
		return nil, &Error{Type: "bytes_too_long", Msg: fmt.Sprintf("An image has at most %d pixels, and this %s of %d by %d has %d.", r.limits.Pixels, f.name, c.Width, c.Height, pixels)}
	}
	if f.name == "JPEG" {
		n, progressive := scans(data)
		if n > mostProgressive || n > mostScans && !progressive {
			return nil, faulty("This JPEG comes in more scans than are read: save it anew.")
		}
	}
	return &file{f, data, c.Width, c.Height}, nil
}

// configOf reads the head of a file, however its decoder ends.
func (f *format) configOf(data []byte) (c image.Config, err error) {
	defer recovered(&err)
	return f.config(bytes.NewReader(data))
}

func (f *file) pixels() int64 { return int64(f.width) * int64(f.height) }

// memory is about what it takes to convert the file, in bytes: its decoder, two bitmaps, and the new file.
func (f *file) memory() int64 {
	const ours = 4 + 4 + 4
	weight, codes := f.weight, int64(0)
	switch f.name {
	case "JPEG":
		if _, held := scans(f.data); held {
			weight = progressive
		}
	case "WebP":
		codes = codesOf(f.data)
	}
	return f.pixels()*(weight+ours) + codes
}
