package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

// state is what is known of a file whose download is under way; it lies beside
// the part that has come, so that a later process can go on.
type state struct {
	URL    string `json:"url"`
	ETag   string `json:"etag,omitempty"`   // a strong one, usable with If-Range
	SHA256 string `json:"sha256,omitempty"` // what the whole must have
	Size   int64  `json:"size,omitempty"`   // of the whole; 0: not known
	Ended  bool   `json:"ended,omitempty"`  // the server ended a body of unknown size
}

// partial is the part of a file that has come, and its running digest.
type partial struct {
	f     *os.File
	path  string
	size  int64
	sum   hash.Hash
	state state
	want  state // what the request itself says
}

// openPartial opens or creates r's partial file. What an earlier call left is
// kept if it can be a part of the same file.
func openPartial(ctx context.Context, r Request) (*partial, error) {
	path := r.Path + ".partial"
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open partial download: %w", err)
	}
	p := &partial{f: f, path: path, sum: sha256.New(), want: state{URL: r.URL, SHA256: r.SHA256, Size: r.Size}}
	p.state = p.want
	old, ok := readState(path + ".json")
	same := ok && (old.SHA256 != "" && old.SHA256 == r.SHA256 || old.URL == r.URL && (old.ETag != "" || old.SHA256 != ""))
	if r.SHA256 != "" && old.SHA256 != r.SHA256 || r.Size > 0 && old.Size > 0 && old.Size != r.Size {
		same = false
	}
	if !same {
		return p, p.resetOrClose()
	}
	p.state = old
	if old.URL != r.URL {
		p.state.URL, p.state.ETag = r.URL, ""
	}
	p.size, err = io.Copy(p.sum, ctxReader{ctx, f})
	if err != nil {
		p.close()
		return nil, fmt.Errorf("read partial download: %w", err)
	}
	if p.state.Size > 0 && p.size > p.state.Size {
		return p, p.resetOrClose()
	}
	return p, nil
}

func readState(path string) (s state, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return s, false
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return s, err == nil && json.Unmarshal(data, &s) == nil
}

// complete says that nothing is missing.
func (p *partial) complete() bool {
	return p.state.Size > 0 && p.size == p.state.Size || p.state.Size == 0 && p.state.Ended
}

// save stores what the server has said about the whole.
func (p *partial) save() error {
	data, err := json.Marshal(p.state)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(p.path + ".json"); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return disk.WriteFile(p.path+".json", data)
}

func (p *partial) Write(b []byte) (int, error) {
	n, err := p.f.Write(b)
	p.sum.Write(b[:n])
	p.size += int64(n)
	if err != nil {
		err = fatal{fmt.Errorf("write download: %w", err)}
	}
	return n, err
}

// reset forgets what has come and what the server said.
func (p *partial) reset() error {
	_, seek := p.f.Seek(0, io.SeekStart)
	if err := errors.Join(seek, p.f.Truncate(0)); err != nil {
		return fmt.Errorf("empty partial download: %w", err)
	}
	p.sum.Reset()
	p.size, p.state = 0, p.want
	return nil
}

func (p *partial) resetOrClose() error {
	err := p.reset()
	if err != nil {
		p.close()
	}
	return err
}

func (p *partial) digest() string { return hex.EncodeToString(p.sum.Sum(nil)) }

func (p *partial) flush() error {
	if err := p.f.Sync(); err != nil {
		return fmt.Errorf("write partial download: %w", err)
	}
	return nil
}

// commit gives the file its name.
func (p *partial) commit(path string) error {
	if err := p.f.Close(); err != nil {
		return fmt.Errorf("close download: %w", err)
	}
	if err := disk.Move(p.path, path); err != nil {
		return fmt.Errorf("rename download: %w", err)
	}
	_ = os.Remove(p.path + ".json")
	return nil
}

// end closes the file, and removes it if nothing is in it.
func (p *partial) end() {
	p.close()
	if p.size == 0 {
		_ = os.Remove(p.path)
		_ = os.Remove(p.path + ".json")
	}
}

func (p *partial) close() { _ = p.f.Close() }

// ctxReader ends with its context.
type ctxReader struct {
	ctx context.Context // lives as long as one copy
	r   io.Reader
}

func (c ctxReader) Read(b []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(b)
}
