package dataurl_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ingot-llm/ingot/client/dataurl"
)

func ExampleReader() {
	picture := strings.NewReader("GIF89a\x01\x00\x01\x00…") // a file, or what was uploaded
	url, err := dataurl.Reader(picture)
	fmt.Println(url, err)
	// Output: data:image/gif;base64,R0lGODlhAQABAOKApg== <nil>
}

func TestTypesGoByTheContent(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"\x89PNG\r\n\x1a\n":          "data:image/png;base64,iVBORw0KGgo=",
		"\xff\xd8\xff":               "data:image/jpeg;base64,/9j/",
		"RIFF\x00\x00\x00\x00WEBPVP": "data:image/webp;base64,UklGRgAAAABXRUJQVlA=",
		"GIF87a":                     "data:image/gif;base64,R0lGODdh",
		"<html>":                     "",
		"":                           "",
		"%PDF-":                      "",
	} {
		file := filepath.Join(t.TempDir(), "picture.txt")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := dataurl.File(file)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %s, %v, want %s", content, got, err, want)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	if _, err := dataurl.File(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := dataurl.Reader(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
	endless := io.MultiReader(strings.NewReader("GIF87a"), endless{})
	if _, err := dataurl.Reader(endless); err == nil || !strings.Contains(err.Error(), "32 MiB") {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
