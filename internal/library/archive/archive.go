// Package archive takes files out of zip and tar.gz archives that come from
// outside: every size is bounded, and no member lands outside its folder.
package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const maxMembers = 20_000

// LimitError says that an archive, or a member of it, is larger than allowed.
type LimitError struct {
	Member string
	Limit  int64 // bytes
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("unpack %q: larger than the %d bytes allowed", e.Member, e.Limit)
}

// PathError says that a member's name leads out of the folder it belongs in,
// or that the member is something other than a file, a folder or a link beside itself.
type PathError struct{ Member, Reason string }

func (e *PathError) Error() string {
	return fmt.Sprintf("unpack %q: %s", e.Member, e.Reason)
}

// Member writes the one file called name of the zip archive at file to w,
// refusing more than limit bytes, and returns how many it wrote.
// The error is fs.ErrNotExist when the archive has no such file.
func Member(ctx context.Context, file, name string, w io.Writer, limit int64) (n int64, err error) {
	z, err := openZip(file)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	for _, f := range z.File {
		if f.Name != name {
			continue
		}
		if _, err := local(f.Name); err != nil {
			return 0, err
		}
		if !f.Mode().IsRegular() {
			return 0, &PathError{Member: name, Reason: "is not a file"}
		}
		return writeMember(ctx, f, w, limit)
	}
	return 0, fmt.Errorf("find %q in %s: %w", name, filepath.Base(file), fs.ErrNotExist)
}

// Unzip unpacks the zip archive at file into dir, which must exist, refusing
// more than limit bytes in all. After an error dir holds a part of it.
func Unzip(ctx context.Context, file, dir string, limit int64) (err error) {
	z, err := openZip(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	out, err := newUnpacker(dir, limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.root.Close()) }()
	for _, f := range z.File {
		err := out.add(f.Name, f.Mode(), func(w io.Writer) (int64, error) {
			return writeMember(ctx, f, w, out.left)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Untar unpacks the gzipped tar archive at file into dir, which must exist,
// refusing more than limit bytes in all. Symbolic links are kept when they
// name a file beside themselves. After an error dir holds a part of it.
func Untar(ctx context.Context, file, dir string, limit int64) (err error) {
	src, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	gz, err := gzip.NewReader(src)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(file), err)
	}
	out, err := newUnpacker(dir, limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.root.Close()) }()
	// Headers count too: a stream of nothing but headers is a bomb as well.
	tr := tar.NewReader(&bounded{ctx: ctx, r: gz, left: limit + maxMembers*1024, limit: limit, name: filepath.Base(file)})
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", filepath.Base(file), err)
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeDir:
			err = out.add(h.Name, h.FileInfo().Mode(), func(w io.Writer) (int64, error) {
				return copyBounded(ctx, w, tr, h.Name, out.left)
			})
		case tar.TypeSymlink:
			err = out.link(h.Name, h.Linkname)
		case tar.TypeXGlobalHeader:
		default:
			err = &PathError{Member: h.Name, Reason: "is neither a file, a folder nor a symbolic link"}
		}
		if err != nil {
			return err
		}
	}
}

func openZip(file string) (*zip.ReadCloser, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(file), err)
	}
	if len(z.File) > maxMembers {
		_ = z.Close()
		return nil, fmt.Errorf("read %s: %d members, more than the %d allowed", filepath.Base(file), len(z.File), maxMembers)
	}
	return z, nil
}

func writeMember(ctx context.Context, f *zip.File, w io.Writer, limit int64) (n int64, err error) {
	if f.UncompressedSize64 > uint64(max(limit, 0)) {
		return 0, &LimitError{Member: f.Name, Limit: limit}
	}
	r, err := f.Open()
	if err != nil {
		return 0, fmt.Errorf("unpack %q: %w", f.Name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return copyBounded(ctx, w, r, f.Name, limit)
}

func copyBounded(ctx context.Context, w io.Writer, r io.Reader, name string, limit int64) (int64, error) {
	n, err := io.Copy(w, &bounded{ctx: ctx, r: r, left: limit, limit: limit, name: name})
	if err != nil {
		return n, fmt.Errorf("unpack %q: %w", name, err)
	}
	return n, nil
}

// bounded reads at most left bytes, and ends with its context.
type bounded struct {
	ctx   context.Context // lives as long as one copy
	r     io.Reader
	left  int64
	limit int64
	name  string
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, &LimitError{Member: b.name, Limit: b.limit}
	}
	return n, err
}

// unpacker writes members below one folder; os.Root keeps them there even
// where a link was unpacked before.
type unpacker struct {
	root    *os.Root
	left    int64
	limit   int64
	members int
}

func newUnpacker(dir string, limit int64) (*unpacker, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &unpacker{root: root, left: limit, limit: limit}, nil
}

func (u *unpacker) parent(name string) (string, error) {
	if u.members++; u.members > maxMembers {
		return "", &PathError{Member: name, Reason: fmt.Sprintf("is one of more than %d members", maxMembers)}
	}
	p, err := local(name)
	if err != nil {
		return "", err
	}
	return p, u.root.MkdirAll(filepath.Dir(p), 0o700)
}

func (u *unpacker) add(name string, mode fs.FileMode, write func(io.Writer) (int64, error)) (err error) {
	p, err := u.parent(name)
	if err != nil {
		return err
	}
	if mode.IsDir() || strings.HasSuffix(name, "/") {
		return u.root.MkdirAll(p, 0o700)
	}
	if !mode.IsRegular() {
		return &PathError{Member: name, Reason: "is neither a file nor a folder"}
	}
	f, err := u.root.OpenFile(p, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600|mode.Perm()&0o100)
	if err != nil {
		return fmt.Errorf("unpack %q: %w", name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := write(f)
	u.left -= n
	return err
}

func (u *unpacker) link(name, target string) error {
	p, err := u.parent(name)
	if err != nil {
		return err
	}
	if target == "" || strings.ContainsAny(target, `/\`) || target == ".." || target == "." {
		return &PathError{Member: name, Reason: fmt.Sprintf("links to %q, which is not beside it", target)}
	}
	if err := u.root.Symlink(target, p); err != nil {
		return fmt.Errorf("unpack %q: %w", name, err)
	}
	return nil
}

// local turns a member's name into a path of this system, or refuses it.
func local(name string) (string, error) {
	clean := path.Clean(name)
	p := filepath.FromSlash(clean)
	bad := strings.ContainsAny(name, "\\\x00") || !filepath.IsLocal(p)
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == ".."
	}
	if bad {
		return "", &PathError{Member: name, Reason: "its name leads out of the archive"}
	}
	return p, nil
}
