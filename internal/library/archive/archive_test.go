package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/library/archive"
)

type member struct {
	name, body string
	mode       fs.FileMode
	link       string
}

func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(m.mode)
		w, err := z.CreateHeader(h)
		if err == nil && !strings.HasSuffix(m.name, "/") {
			_, err = w.Write([]byte(m.body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(t testing.TB, kind byte, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	w := tar.NewWriter(gz)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: int64(m.mode.Perm()), Size: int64(len(m.body)), Typeflag: kind, Linkname: m.link}
		if m.link != "" && kind == tar.TypeReg {
			h.Typeflag = tar.TypeSymlink
		}
		if m.mode.IsDir() {
			h.Typeflag = tar.TypeDir
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = w.Write([]byte(m.body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a zip archive whose directory says 10 bytes and whose member has n.
func bomb(t testing.TB, n int) []byte {
	t.Helper()
	var packed, b bytes.Buffer
	f, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, n)
	_, _ = f.Write(body)
	_ = f.Close()
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: "bomb", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(body),
		CompressedSize64: uint64(packed.Len()), UncompressedSize64: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(packed.Bytes())
	_ = z.Close()
	return b.Bytes()
}

func put(t testing.TB, data []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

type unpack func(context.Context, string, string, int64) error

func TestAnArchiveIsUnpackedAsItIs(t *testing.T) {
	t.Parallel()
	members := []member{{name: "a/", mode: fs.ModeDir | 0o755}, {name: "a/b.txt", body: "text", mode: 0o644}, {name: "a/deep/run", body: "#!", mode: 0o755}}
	for name, tt := range map[string]struct {
		data []byte
		do   unpack
	}{
		"zip": {zipOf(t, members...), archive.Unzip},
		"tar": {tarOf(t, tar.TypeReg, append(members, member{name: "a/link", link: "b.txt"})...), archive.Untar},
	} {
		dir := t.TempDir()
		if err := tt.do(t.Context(), put(t, tt.data), dir, 1000); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files := []string{"a/b.txt"}
		if name == "tar" {
			files = append(files, "a/link")
		}
		for _, f := range files {
			if got, err := os.ReadFile(filepath.Join(dir, f)); err != nil || string(got) != "text" {
				t.Errorf("%s: %s is %q, %v", name, f, got, err)
			}
		}
		fi, err := os.Stat(filepath.Join(dir, "a/deep/run"))
		if err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: the program is %v, %v", name, fi, err)
		}
	}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 2000)
	tests := []struct {
		name string
		data []byte
		do   unpack
	}{
		{"zip: a member climbs out", zipOf(t, member{name: "../up", body: "x", mode: 0o644}), archive.Unzip},
		{"zip: a member climbs out from within", zipOf(t, member{name: "a/../../up", body: "x", mode: 0o644}), archive.Unzip},
		{"zip: an absolute name", zipOf(t, member{name: "/up", body: "x", mode: 0o644}), archive.Unzip},
		{"zip: a backslash", zipOf(t, member{name: `..\up`, body: "x", mode: 0o644}), archive.Unzip},
		{"zip: a symbolic link", zipOf(t, member{name: "l", body: "/etc", mode: fs.ModeSymlink | 0o777}), archive.Unzip},
		{"zip: a name twice", zipOf(t, member{name: "a", body: "x", mode: 0o644}, member{name: "a", body: "y", mode: 0o644}), archive.Unzip},
		{"zip: too large together", zipOf(t, member{name: "a", body: big[:600], mode: 0o644}, member{name: "b", body: big[:600], mode: 0o644}), archive.Unzip},
		{"zip: larger than it says", bomb(t, 10<<20), archive.Unzip},
		{"zip: not one", []byte("nothing"), archive.Unzip},
		{"tar: a member climbs out", tarOf(t, tar.TypeReg, member{name: "../up", body: "x", mode: 0o644}), archive.Untar},
		{"tar: an absolute name", tarOf(t, tar.TypeReg, member{name: "/up", body: "x", mode: 0o644}), archive.Untar},
		{"tar: a link leads away", tarOf(t, tar.TypeReg, member{name: "l", link: "../../up"}), archive.Untar},
		{"tar: a link to the folder above", tarOf(t, tar.TypeReg, member{name: "l", link: ".."}), archive.Untar},
		{"tar: a hard link", tarOf(t, tar.TypeLink, member{name: "l", link: "a"}), archive.Untar},
		{"tar: a device", tarOf(t, tar.TypeChar, member{name: "d"}), archive.Untar},
		{"tar: too large", tarOf(t, tar.TypeReg, member{name: "a", body: big, mode: 0o644}), archive.Untar},
		{"tar: not one", []byte("nothing"), archive.Untar},
		{"tar: cut short", tarOf(t, tar.TypeReg, member{name: "a", body: "abc", mode: 0o644})[:40], archive.Untar},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outer := t.TempDir()
			dir := filepath.Join(outer, "a", "b")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := tt.do(t.Context(), put(t, tt.data), dir, 1000); err == nil {
				t.Error("accepted")
			}
			if n := outside(t, outer, dir); n > 0 {
				t.Errorf("%d files outside the folder", n)
			}
		})
	}
}

// outside counts the files below outer that are not below dir.
func outside(t testing.TB, outer, dir string) (n int) {
	t.Helper()
	_ = filepath.WalkDir(outer, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(p, dir+string(filepath.Separator)) {
			n++
		}
		return err
	})
	return n
}

func TestOneMemberIsTakenOut(t *testing.T) {
	t.Parallel()
	file := put(t, zipOf(t, member{name: "a/b", body: "hello", mode: 0o644}, member{name: "l", body: "a/b", mode: fs.ModeSymlink | 0o777}))
	var b bytes.Buffer
	if n, err := archive.Member(t.Context(), file, "a/b", &b, 5); err != nil || n != 5 || b.String() != "hello" {
		t.Errorf("got %d, %v, %q", n, err, b.String())
	}
	if _, err := archive.Member(t.Context(), file, "a/c", io.Discard, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a member that is not there: %v", err)
	}
	if _, err := archive.Member(t.Context(), file, "l", io.Discard, 5); err == nil {
		t.Error("a link was taken for a file")
	}
	for _, tt := range []struct {
		file, member string
		limit        int64
	}{{file, "a/b", 4}, {put(t, bomb(t, 10<<20)), "bomb", 20}} {
		n, err := archive.Member(t.Context(), tt.file, tt.member, io.Discard, tt.limit)
		if err == nil || n > tt.limit {
			t.Errorf("%s: %d bytes were written, %v", tt.member, n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := archive.Member(ctx, file, "a/b", io.Discard, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(zipOf(f, member{name: "a/b", body: "x", mode: 0o644}), true)
	f.Add(zipOf(f, member{name: "../b", body: "x", mode: 0o644}), true)
	f.Add(bomb(f, 5000), true)
	f.Add(tarOf(f, tar.TypeReg, member{name: "a", body: "x", mode: 0o644}, member{name: "l", link: "a"}), false)
	f.Add(tarOf(f, tar.TypeReg, member{name: "l", link: ".."}), false)
	f.Fuzz(func(t *testing.T, data []byte, zipped bool) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "in")
		file := filepath.Join(dir, "archive")
		out := filepath.Join(dir, "out")
		if err := errors.Join(os.MkdirAll(out, 0o700), os.WriteFile(file, data, 0o600)); err != nil {
			t.Fatal(err)
		}
		do := archive.Untar
		if zipped {
			do = archive.Unzip
		}
		_ = do(t.Context(), file, out, 1<<16)
		if n := outside(t, outer, out); n != 1 {
			t.Fatalf("%d files outside the folder", n-1)
		}
	})
}
