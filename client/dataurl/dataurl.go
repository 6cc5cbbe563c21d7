// Package dataurl makes data URLs of pictures, which is how requests carry them.
package dataurl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// maxImage is the most bytes of a picture: more than any service takes.
const maxImage = 32 << 20

// File returns a file's picture as data URL. Its type is told by its content and not by its name.
func File(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read image: %w", err)
	}
	defer file.Close()
	return Reader(file)
}

// Reader returns a picture as data URL. More than 32 MiB are an error.
func Reader(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImage+1))
	if err != nil {
		return "", fmt.Errorf("read image: %w", err)
	}
	return Bytes(data)
}

// Bytes returns a picture as data URL: PNG, JPEG, GIF, WebP, BMP or ICO.
func Bytes(data []byte) (string, error) {
	if len(data) > maxImage {
		return "", errors.New("read image: it is longer than 32 MiB")
	}
	media := http.DetectContentType(data)
	if !strings.HasPrefix(media, "image/") {
		return "", fmt.Errorf("read image: its content is no picture of a known kind, but %s", media)
	}
	return "data:" + media + ";base64," + base64.StdEncoding.EncodeToString(data), nil
}
