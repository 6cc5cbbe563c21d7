package picture_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/image/bmp"

	"github.com/ingot-llm/ingot/internal/picture"
)

// The four quarters of the image that most tests are about.
var quarters = map[byte]color.NRGBA{
	'R': {255, 0, 0, 255},
	'G': {0, 160, 0, 255},
	'B': {0, 0, 255, 255},
	'Y': {255, 255, 0, 255},
	'W': {255, 255, 255, 255},
	'r': {76, 76, 76, 255}, // what they weigh without colour
	'g': {94, 94, 94, 255},
	'b': {29, 29, 29, 255},
	'y': {226, 226, 226, 255},
}

// seen names the quarters of an image: the top left, the top right, and those below.
func seen(t *testing.T, p *picture.Picture) string {
	t.Helper()
	decode := map[string]func(*bytes.Reader) (image.Image, error){
		"image/png":  func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) },
		"image/jpeg": func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) },
	}[p.Type]
	if decode == nil {
		t.Fatalf("an image of type %q", p.Type)
	}
	m, err := decode(bytes.NewReader(p.Data))
	if err != nil {
		t.Fatal(err)
	}
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	if w != p.Width || h != p.Height {
		t.Errorf("the image is %d by %d, not %d by %d", w, h, p.Width, p.Height)
	}
	names := ""
	for _, at := range []image.Point{{w / 4, h / 4}, {3 * w / 4, h / 4}, {w / 4, 3 * h / 4}, {3 * w / 4, 3 * h / 4}} {
		names += name(m.At(at.X, at.Y))
	}
	return names
}

// name is the letter of a colour, or the colour where it has none.
func name(c color.Color) string {
	const near = 6
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	for letter, q := range quarters {
		if abs(n.R, q.R) <= near && abs(n.G, q.G) <= near && abs(n.B, q.B) <= near && n.A == q.A {
			return string(letter)
		}
	}
	return fmt.Sprint(n)
}

func abs(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// quartered draws the four quarters, 32 by 24 pixels.
func quartered() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 32, 24))
	for y := range 24 {
		for x := range 32 {
			m.SetNRGBA(x, y, quarters["RGBY"[y/12*2+x/16]])
		}
	}
	return m
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asGIF(t testing.TB, g *gif.GIF) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// dataURL labels a file as what it may not be.
func dataURL(label string, data []byte) string {
	return "data:" + label + ";base64," + base64.StdEncoding.EncodeToString(data)
}

func paletted(frame image.Rectangle) *image.Paletted {
	m := image.NewPaletted(frame, color.Palette{color.NRGBA{}, quarters['R'], quarters['G'], quarters['B'], quarters['Y']})
	for y := frame.Min.Y; y < frame.Max.Y; y++ {
		for x := frame.Min.X; x < frame.Max.X; x++ {
			m.SetColorIndex(x, y, uint8(1+y/12*2+x/16))
		}
	}
	return m
}

func TestEveryFormatIsRead(t *testing.T) {
	t.Parallel()
	deep := image.NewNRGBA64(image.Rect(0, 0, 32, 24))
	for y := range 24 {
		for x := range 32 {
			deep.Set(x, y, quartered().At(x, y))
		}
	}
	holed := quartered()
	for y := 12; y < 24; y++ {
		for x := 16; x < 32; x++ {
			holed.SetNRGBA(x, y, color.NRGBA{12, 34, 56, 0})
		}
	}
	var plainBMP bytes.Buffer
	if err := bmp.Encode(&plainBMP, quartered()); err != nil {
		t.Fatal(err)
	}
	still := asGIF(t, &gif.GIF{Image: []*image.Paletted{paletted(image.Rect(0, 0, 32, 24))}, Delay: []int{0}})
	moving := asGIF(t, &gif.GIF{
		Image: []*image.Paletted{paletted(image.Rect(0, 0, 32, 24)), image.NewPaletted(image.Rect(0, 0, 32, 24), color.Palette{color.Black})},
		Delay: []int{1, 1},
	})
	partial := asGIF(t, &gif.GIF{
		Image:  []*image.Paletted{paletted(image.Rect(16, 0, 32, 12))},
		Delay:  []int{0},
		Config: image.Config{Width: 32, Height: 24},
	})
	for name, c := range map[string]struct {
		data []byte
		kind string
		want string
	}{
		"PNG":                              {asPNG(t, quartered()), "image/png", "RGBY"},
		"PNG of 16 bits":                   {asPNG(t, deep), "image/png", "RGBY"},
		"PNG with a palette":               {asPNG(t, paletted(image.Rect(0, 0, 32, 24))), "image/png", "RGBY"},
		"PNG that is transparent in part":  {asPNG(t, holed), "image/png", "RGBW"},
		"PNG with something behind it":     {append(asPNG(t, quartered()), "<script>PK\x03\x04"...), "image/png", "RGBY"},
		"PNG that is to be turned":         {fixture(t, "turned.png"), "image/png", "BRYG"},
		"JPEG":                             {asJPEG(t, quartered()), "image/jpeg", "RGBY"},
		"JPEG, baseline":                   {fixture(t, "baseline.jpg"), "image/jpeg", "RGBY"},
		"JPEG, progressive":                {fixture(t, "progressive.jpg"), "image/jpeg", "RGBY"},
		"JPEG, grey":                       {fixture(t, "grey.jpg"), "image/jpeg", "rgby"},
		"JPEG, CMYK":                       {fixture(t, "cmyk.jpg"), "image/jpeg", "RGBY"},
		"JPEG with all of its colour":      {fixture(t, "fine.jpg"), "image/jpeg", "RGBY"},
		"JPEG that is to be turned":        {fixture(t, "turned.jpg"), "image/jpeg", "BRYG"},
		"JPEG with a film behind it":       {append(fixture(t, "baseline.jpg"), "\x00\x00\x00\x18ftypmp42"...), "image/jpeg", "RGBY"},
		"GIF":                              {still, "image/png", "RGBY"},
		"GIF of which the first is taken":  {moving, "image/png", "RGBY"},
		"GIF with a frame for a part only": {partial, "image/png", "WGWW"},
		"WebP, lossless":                   {fixture(t, "lossless.webp"), "image/png", "RGBY"},
		"WebP, lossy":                      {fixture(t, "lossy.webp"), "image/jpeg", "RGBY"},
		"WebP, lossy and transparent":      {fixture(t, "alpha.webp"), "image/jpeg", "RGBW"},
		"WebP that is to be turned":        {fixture(t, "turned.webp"), "image/png", "BRYG"},
		"WebP with frames":                 {fixture(t, "animated.webp"), "image/jpeg", "RGBY"},
		"WebP with transparent frames":     {fixture(t, "moving.webp"), "image/jpeg", "RGBW"},
		"WebP with lossless frames":        {fixture(t, "steps.webp"), "image/png", "RGBY"},
		"BMP":                              {plainBMP.Bytes(), "image/png", "RGBY"},
		"BMP of another writer":            {fixture(t, "rgb.bmp"), "image/png", "RGBY"},
		"BMP with a palette":               {fixture(t, "palette.bmp"), "image/png", "RGBY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, label := range []string{"image/png", "image/jpg", "text/plain;charset=utf-8", "application/pdf", ""} {
				p, err := picture.New(picture.Options{}).Read(t.Context(), dataURL(label, c.data))
				if err != nil {
					t.Fatal(err)
				}
				if got := seen(t, p); got != c.want || p.Type != c.kind {
					t.Errorf("labelled %q: %s %s, want %s %s", label, p.Type, got, c.kind, c.want)
				}
			}
		})
	}
}

// exif writes an EXIF block that holds another entry and the orientation.
func exif(order binary.AppendByteOrder, turn uint16) []byte {
	block := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		block = []byte("MM\x00*")
	}
	block = order.AppendUint16(order.AppendUint32(block, 8), 2)
	block = append(order.AppendUint32(order.AppendUint16(order.AppendUint16(block, 0x0100), 3), 1), 0, 0, 0, 0)
	block = order.AppendUint32(order.AppendUint16(order.AppendUint16(block, 0x0112), 3), 1)
	return order.AppendUint32(order.AppendUint16(order.AppendUint16(block, turn), 0), 0)
}

// withEXIF puts an EXIF block into a JPEG.
func withEXIF(data, block []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), block...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(segment)+2))
	return append(append(head, segment...), data[2:]...)
}

// withChunk puts a chunk behind the head of a PNG.
func withChunk(data []byte, name string, body []byte) []byte {
	const head = 8 + 25
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), name...)
	chunk = append(chunk, body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return append(append(bytes.Clone(data[:head]), chunk...), data[head:]...)
}

func TestAnImageIsTurnedUpright(t *testing.T) {
	t.Parallel()
	// EXIF says on which side of the upright image the first row and the first column of the stored one are.
	for turn, want := range []string{
		0: "RGBY", // not an orientation
		1: "RGBY", // top, left
		2: "GRYB", // top, right
		3: "YBGR", // bottom, right
		4: "BYRG", // bottom, left
		5: "RBGY", // left, top
		6: "BRYG", // right, top
		7: "YGBR", // right, bottom
		8: "GYRB", // left, bottom
		9: "RGBY", // not an orientation
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			block := exif(order, uint16(turn))
			for kind, data := range map[string][]byte{
				"JPEG": withEXIF(asJPEG(t, quartered()), block),
				"PNG":  withChunk(asPNG(t, quartered()), "eXIf", block),
			} {
				p, err := picture.New(picture.Options{}).Read(t.Context(), dataURL("image/png", data))
				if err != nil {
					t.Fatal(err)
				}
				if got := seen(t, p); got != want {
					t.Errorf("%s in orientation %d, %v: %s, want %s", kind, turn, order, got, want)
				}
				if lies := turn >= 5 && turn <= 8; (p.Width == 24) != lies {
					t.Errorf("%s in orientation %d is %d wide", kind, turn, p.Width)
				}
			}
		}
	}
}

func TestTheNewImageHasNothingOfTheOldFile(t *testing.T) {
	t.Parallel()
	const secret = "52.5200 N, 13.4050 E"
	for _, data := range [][]byte{
		append(withEXIF(asJPEG(t, quartered()), []byte("II*\x00\x08\x00\x00\x00"+secret)), secret...),
		append(withChunk(asPNG(t, quartered()), "tEXt", []byte("Comment\x00"+secret)), secret...),
	} {
		p, err := picture.New(picture.Options{}).Read(t.Context(), dataURL("image/png", data))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p.Data, []byte(secret)) {
			t.Errorf("the new %s holds what was beside the image", p.Type)
		}
	}
}

func TestWhatIsNoImageForUsIsRefused(t *testing.T) {
	t.Parallel()
	whole := asPNG(t, quartered())
	photo := fixture(t, "progressive.jpg")
	arithmetic := bytes.Replace(asJPEG(t, quartered()), []byte{0xff, 0xc0}, []byte{0xff, 0xc9}, 1)
	deepJPEG := bytes.Replace(asJPEG(t, quartered()), []byte{0xff, 0xc0, 0, 17, 8}, []byte{0xff, 0xc0, 0, 17, 12}, 1)
	const also = "; send PNG, JPEG, GIF, WebP or BMP."
	for name, c := range map[string]struct {
		url  string
		kind string
		msg  string
	}{
		"nothing":                       {"", "url_parsing", "An image is given as a URL: data:image/png;base64,… or https://…"},
		"base64 without a URL":          {base64.StdEncoding.EncodeToString(whole), "url_parsing", "An image is given as a URL: data:image/png;base64,… or https://…"},
		"a file of the server":          {"file:///etc/hostname", "url_scheme", "The URL of an image begins with data: or https:"},
		"a fetch where there is none":   {"https://example.com/a.png", "url_scheme", "Images are not fetched here: send the image itself as a data URL, data:image/png;base64,…"},
		"a data URL without data":       {"data:image/png;base64", "url_parsing", "The data URL of an image is data:image/{type};base64,{data}."},
		"a data URL in plain":           {"data:image/svg+xml,<svg/>", "url_parsing", "The data URL of an image is data:image/{type};base64,{data}."},
		"data that is not base64":       {"data:image/png;base64,a§b", "value_error", "The data of the image's data URL is not base64."},
		"data that ends in mid-byte":    {"data:image/png;base64,AAAAA", "value_error", "The data of the image's data URL is not base64."},
		"no bytes":                      {"data:image/png;base64,", "value_error", "The image is empty."},
		"one byte":                      {dataURL("image/png", []byte{0x89}), "value_error", "This is no image that is known here: send PNG, JPEG, GIF, WebP or BMP."},
		"a text":                        {dataURL("image/png", []byte("hello")), "value_error", "This is no image that is known here: send PNG, JPEG, GIF, WebP or BMP."},
		"an AVIF":                       {dataURL("image/png", []byte("\x00\x00\x00\x20ftypavif\x00\x00")), "value_error", "AVIF is not supported" + also},
		"an AVIF of several":            {dataURL("image/png", []byte("\x00\x00\x00\x20ftypavis\x00\x00")), "value_error", "AVIF is not supported" + also},
		"a HEIC":                        {dataURL("image/jpeg", []byte("\x00\x00\x00\x20ftypheic\x00\x00")), "value_error", "HEIC is not supported" + also},
		"another HEIC":                  {dataURL("image/jpeg", []byte("\x00\x00\x00\x20ftypmif1\x00\x00")), "value_error", "HEIC is not supported" + also},
		"a film":                        {dataURL("image/jpeg", []byte("\x00\x00\x00\x20ftypmp42\x00\x00")), "value_error", "A film is not supported" + also},
		"a TIFF":                        {dataURL("image/tiff", []byte("II*\x00\x08\x00\x00\x00")), "value_error", "TIFF is not supported" + also},
		"a TIFF of the other order":     {dataURL("image/tiff", []byte("MM\x00*\x00\x00\x00\x08")), "value_error", "TIFF is not supported" + also},
		"a JPEG XL":                     {dataURL("image/jxl", []byte("\xff\x0a\x00")), "value_error", "JPEG XL is not supported" + also},
		"a JPEG XL in boxes":            {dataURL("image/jxl", []byte("\x00\x00\x00\x0cJXL \r\n\x87\n")), "value_error", "JPEG XL is not supported" + also},
		"a JPEG 2000":                   {dataURL("image/jp2", []byte("\x00\x00\x00\x0cjP  \r\n\x87\n")), "value_error", "JPEG 2000 is not supported" + also},
		"an SVG":                        {dataURL("image/svg+xml", []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")), "value_error", "SVG is not supported" + also},
		"an SVG with a declaration":     {dataURL("image/svg+xml", []byte("\ufeff<?xml version='1.0'?>\n<!-- a -->\n<SVG/>")), "value_error", "SVG is not supported" + also},
		"an HTML page":                  {dataURL("image/png", []byte("\n<!DOCTYPE html><title>x</title>")), "value_error", "An HTML page is not supported" + also},
		"a PDF":                         {dataURL("application/pdf", []byte("%PDF-1.7\n")), "value_error", "PDF is not supported" + also},
		"an icon":                       {dataURL("image/x-icon", []byte("\x00\x00\x01\x00\x01\x00")), "value_error", "ICO is not supported" + also},
		"half a WebP with frames":       {dataURL("image/webp", fixture(t, "animated.webp")[:100]), "value_error", "The WebP is broken or cut off."},
		"a PNG's first bytes":           {dataURL("image/png", whole[:20]), "value_error", "The PNG is broken or cut off."},
		"half a PNG":                    {dataURL("image/png", whole[:len(whole)/2]), "value_error", "The PNG is broken or cut off."},
		"a PNG without its end":         {dataURL("image/png", whole[:len(whole)-12]), "value_error", "The PNG is broken or cut off."},
		"a PNG with a wrong sum":        {dataURL("image/png", bytes.Replace(whole, []byte("IDAT"), []byte("IDAt"), 1)), "value_error", "The PNG is broken or cut off."},
		"half a JPEG":                   {dataURL("image/jpeg", photo[:len(photo)/2]), "value_error", "The JPEG is broken or cut off."},
		"a JPEG's first bytes":          {dataURL("image/jpeg", photo[:20]), "value_error", "The JPEG is broken or cut off."},
		"a JPEG with arithmetic coding": {dataURL("image/jpeg", arithmetic), "value_error", "This JPEG needs what is not supported (unknown marker): save it as a baseline or progressive JPEG of 8 bits."},
		"a JPEG of 12 bits":             {dataURL("image/jpeg", deepJPEG), "value_error", "This JPEG needs what is not supported (precision): save it as a baseline or progressive JPEG of 8 bits."},
		"half a WebP":                   {dataURL("image/webp", fixture(t, "lossy.webp")[:80]), "value_error", "The WebP is broken or cut off."},
		"a BMP of packed pixels":        {dataURL("image/bmp", packedBMP(t)), "value_error", "This kind of BMP is not supported: only uncompressed ones of 1, 2, 4, 8, 24 or 32 bits are."},
		"a GIF without a frame":         {dataURL("image/gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x3b")), "value_error", "The GIF is broken or cut off."},
		"a PNG without pixels":          {dataURL("image/png", claimed(t, 0, 5)), "value_error", "The PNG is broken or cut off."},
		"a PNG too wide":                {dataURL("image/png", claimed(t, 16_385, 1)), "bytes_too_long", "An image is at most 16384 pixels wide and high, and this PNG is 16385 by 1."},
		"a PNG that claims the world":   {dataURL("image/png", claimed(t, 60_000, 60_000)), "bytes_too_long", "An image is at most 16384 pixels wide and high, and this PNG is 60000 by 60000."},
		"a PNG of too many pixels":      {dataURL("image/png", claimed(t, 10_000, 5_001)), "bytes_too_long", "An image has at most 50000000 pixels, and this PNG of 10000 by 5001 has 50010000."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := picture.New(picture.Options{}).Read(t.Context(), c.url)
			e, ok := errors.AsType[*picture.Error](err)
			if !ok {
				t.Fatalf("%v, %v", p, err)
			}
			if e.Type != c.kind || e.Msg != c.msg {
				t.Errorf("%s: %s, want %s: %s", e.Type, e.Msg, c.kind, c.msg)
			}
		})
	}
}

// claimed is a PNG of one pixel that says it has more.
func claimed(t testing.TB, width, height uint32) []byte {
	t.Helper()
	data := asPNG(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	const head = 8 + 8
	binary.BigEndian.PutUint32(data[head:], width)
	binary.BigEndian.PutUint32(data[head+4:], height)
	binary.BigEndian.PutUint32(data[head+13:], crc32.ChecksumIEEE(data[head-4:head+13]))
	return data
}

// packedBMP says of its pixels that they are run-length encoded.
func packedBMP(t testing.TB) []byte {
	t.Helper()
	data := bytes.Clone(fixture(t, "palette.bmp"))
	data[30] = 1
	return data
}

func TestAnImageMayBeAsLargeAsTheLimitSays(t *testing.T) {
	t.Parallel()
	data := asPNG(t, quartered())
	for name, c := range map[string]struct {
		limits picture.Limits
		fits   bool
	}{
		"bytes":          {picture.Limits{Bytes: int64(len(data))}, true},
		"a byte less":    {picture.Limits{Bytes: int64(len(data)) - 1}, false},
		"pixels":         {picture.Limits{Pixels: 32 * 24}, true},
		"a pixel less":   {picture.Limits{Pixels: 32*24 - 1}, false},
		"a side":         {picture.Limits{Side: 32}, true},
		"a shorter side": {picture.Limits{Side: 31}, false},
		"no memory":      {picture.Limits{Memory: 1}, true},
	} {
		_, err := picture.New(picture.Options{Limits: c.limits}).Read(t.Context(), dataURL("image/png", data))
		if (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBase64IsReadAsClientsWriteIt(t *testing.T) {
	t.Parallel()
	// Some of these bytes are written with + and /, which the alphabet for URLs writes - and _.
	data := append(asPNG(t, quartered()), 0xfb, 0xff, 0xfe, 0xfb)
	std := base64.StdEncoding.EncodeToString(data)
	for name, url := range map[string]string{
		"with padding":          "data:image/png;base64," + std,
		"without padding":       "data:image/png;base64," + strings.TrimRight(std, "="),
		"the alphabet for URLs": "data:image/png;base64," + base64.URLEncoding.EncodeToString(data),
		"in lines":              "data:image/png;base64," + std[:76] + "\r\n" + std[76:] + "\n",
		"in other letters":      "DATA:IMAGE/PNG;BASE64," + std,
		"without a label":       "data:;base64," + std,
	} {
		p, err := picture.New(picture.Options{}).Read(t.Context(), url)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := seen(t, p); got != "RGBY" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTheImagesOfARequestAreLimitedTogether(t *testing.T) {
	t.Parallel()
	one := dataURL("image/png", asPNG(t, quartered()))
	broken := "data:image/png;base64,AAAA"
	for name, c := range map[string]struct {
		limits picture.Limits
		urls   []string
		index  int
		msg    string
	}{
		"none":            {picture.Limits{}, nil, 0, ""},
		"three":           {picture.Limits{}, []string{one, one, one}, 0, ""},
		"too many":        {picture.Limits{Images: 2}, []string{one, one, one}, 2, "A request has at most 2 images, not 3."},
		"too many pixels": {picture.Limits{Pixels: 32 * 24}, []string{one, one, one}, -1, "The images of a request have at most 1536 pixels together."},
		"one is broken":   {picture.Limits{}, []string{one, broken, one}, 1, "This is no image that is known here: send PNG, JPEG, GIF, WebP or BMP."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := picture.New(picture.Options{Limits: c.limits}).ReadAll(t.Context(), c.urls)
			if e, ok := errors.AsType[*picture.Error](err); ok {
				if e.Msg != c.msg || c.index >= 0 && e.Index != c.index {
					t.Errorf("%d: %s", e.Index, e.Msg)
				}
				return
			}
			if err != nil || c.msg != "" || len(got) != len(c.urls) {
				t.Fatalf("%d images: %v", len(got), err)
			}
			for _, p := range got {
				if s := seen(t, p); s != "RGBY" {
					t.Error(s)
				}
			}
		})
	}
}

func TestManyAtATimeEachGetTheirOwn(t *testing.T) {
	t.Parallel()
	r := picture.New(picture.Options{Limits: picture.Limits{Memory: 4 * 40 * 40 * 40}})
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			c := color.NRGBA{uint8(i), uint8(255 - i), 7, 255}
			m := image.NewNRGBA(image.Rect(0, 0, 10+i%30, 10+i%40))
			draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
			data := asPNG(t, m)
			if i%5 == 0 {
				data = data[:len(data)/2]
			}
			p, err := r.Read(t.Context(), dataURL("image/png", data))
			if (err != nil) != (i%5 == 0) {
				t.Errorf("image %d: %v", i, err)
			}
			if err != nil {
				return
			}
			got, err := png.Decode(bytes.NewReader(p.Data))
			if err != nil || got.Bounds() != m.Rect || color.NRGBAModel.Convert(got.At(5, 5)) != c {
				t.Errorf("image %d is another: %v", i, err)
			}
		})
	}
	all.Wait()
}

func TestACallerWhoIsGoneIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := picture.New(picture.Options{}).Read(ctx, dataURL("image/png", asPNG(t, quartered())))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
