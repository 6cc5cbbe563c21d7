package picture_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-llm/ingot/internal/picture"
)

// small bounds what one run of a fuzz target may take.
var small = picture.Limits{Bytes: 1 << 16, Pixels: 1 << 16, Side: 1 << 10}

// seeds are files of every type.
func seeds(f *testing.F, add func([]byte)) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		add(data)
	}
	add(asPNG(f, quartered()))
	add(claimed(f, 60_000, 60_000))
	add(withChunk(asPNG(f, quartered()), "eXIf", exif(binary.BigEndian, 6)))
	add(withEXIF(asJPEG(f, quartered()), exif(binary.LittleEndian, 8)))
	add([]byte("\x00\x00\x00\x20ftypavif"))
	add([]byte("<svg/>"))
}

// check holds what is true of every file: it is an upright image within the limits, or an error that may be shown.
func check(t *testing.T, url string) {
	t.Helper()
	r := picture.New(picture.Options{Limits: small})
	p, err := r.Read(t.Context(), url)
	if err != nil {
		if e, ok := errors.AsType[*picture.Error](err); !ok || e.Msg == "" || e.Type == "" {
			t.Errorf("an error that says nothing: %v", err)
		}
		return
	}
	if p.Width < 1 || p.Height < 1 || p.Width > small.Side || p.Height > small.Side || int64(p.Width)*int64(p.Height) > small.Pixels {
		t.Errorf("%d by %d", p.Width, p.Height)
	}
	again, err := picture.New(picture.Options{}).Read(t.Context(), dataURL("", p.Data))
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if again.Type != p.Type || again.Width != p.Width || again.Height != p.Height {
		t.Errorf("%s of %d by %d became %s of %d by %d", p.Type, p.Width, p.Height, again.Type, again.Width, again.Height)
	}
}

func FuzzFile(f *testing.F) {
	seeds(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		check(t, "data:image/png;base64,"+base64.StdEncoding.EncodeToString(data))
	})
}

func FuzzURL(f *testing.F) {
	seeds(f, func(data []byte) { f.Add(dataURL("image/png", data)) })
	f.Add("https://example.com/a.png")
	f.Add("data:;base64")
	f.Fuzz(func(t *testing.T, url string) { check(t, url) })
}

func FuzzEXIF(f *testing.F) {
	f.Add(exif(binary.BigEndian, 6))
	f.Add(exif(binary.LittleEndian, 3))
	f.Add([]byte("II*\x00\xff\xff\xff\xff"))
	jpeg, png := asJPEG(f, quartered()), asPNG(f, quartered())
	f.Fuzz(func(t *testing.T, block []byte) {
		if len(block) > 60_000 {
			return
		}
		for _, data := range [][]byte{withEXIF(jpeg, block), withChunk(png, "eXIf", block)} {
			p, err := picture.New(picture.Options{}).Read(t.Context(), dataURL("", data))
			if err != nil {
				t.Fatalf("an image is not read for what stands beside it: %v", err)
			}
			if p.Width*p.Height != 32*24 {
				t.Errorf("%d by %d", p.Width, p.Height)
			}
		}
	})
}
