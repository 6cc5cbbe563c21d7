package sse_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/sse"
)

func read(t *testing.T, src io.Reader) []string {
	t.Helper()
	r := sse.NewReader(src)
	var got []string
	for {
		events, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got = append(got, e.Type+"|"+string(e.Data))
		}
	}
}

func TestReaderTakesEveryFramingThatTheFormatAllows(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"plain":                 {"data: a\n\ndata: b\n\n", []string{"|a", "|b"}},
		"no space":              {"data:a\n\n", []string{"|a"}},
		"only one space is cut": {"data:  a\n\n", []string{"| a"}},
		"CRLF":                  {"data: a\r\n\r\ndata: b\r\n\r\n", []string{"|a", "|b"}},
		"CR":                    {"data: a\r\rdata: b\r\r", []string{"|a", "|b"}},
		"comments and ids":      {": hi\n\nid: 3\nretry: 4\ndata: a\n: x\n\n", []string{"|a"}},
		"event type":            {"event: error\ndata: a\n\ndata: b\n\n", []string{"error|a", "|b"}},
		"several lines":         {"data: a\ndata\ndata: b\n\n", []string{"|a\n\nb"}},
		"byte order mark":       {"\xef\xbb\xbfdata: a\n\n", []string{"|a"}},
		"a cut event is lost":   {"data: a\n\ndata: b\n", []string{"|a"}},
		"empty data":            {"data:\n\n", []string{"|"}},
		"nothing":               {"\n\n\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, src := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
				if d := cmp.Diff(c.want, read(t, src)); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestRawIsGivenOnlyForExactFrames(t *testing.T) {
	for in, want := range map[string]string{
		"data: a\n\ndata: b\n\n": "data: a\n\ndata: b\n\n",
		"data:a\n\n":             "",
		": x\ndata: a\n\n":       "",
		"event: e\ndata: a\n\n":  "",
		"data: a\r\n\r\n":        "",
		"data: a\ndata: b\n\n":   "",
		"data: a\n\ndata: ha":    "data: a\n\n",
	} {
		r := sse.NewReader(strings.NewReader(in))
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got := string(r.Raw()); got != want {
			t.Errorf("Raw of %q = %q, want %q", in, got, want)
		}
	}
}

func TestRawDoesNotBeginWithTheRestOfALineEnd(t *testing.T) {
	r := sse.NewReader(io.MultiReader(strings.NewReader("data: a\r\n\r"), strings.NewReader("\ndata: b\n\n"), strings.NewReader("data: c\n\n")))
	for _, want := range []string{"", "", "data: c\n\n"} {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got := string(r.Raw()); got != want {
			t.Errorf("Raw is %q, want %q", got, want)
		}
	}
}

func TestOneLargeEventDoesNotMakeTheNextReadLarge(t *testing.T) {
	const mb = 1 << 20
	r := sse.NewReader(strings.NewReader("data: " + strings.Repeat("x", 7*mb) + "\n\n" + strings.Repeat("data:\n\n", mb)))
	most := 0
	for {
		events, err := r.Next()
		if err != nil {
			break
		}
		most = max(most, len(events))
	}
	if most > 16<<10 {
		t.Errorf("%d events at once", most)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestAnEventWithoutEndIsRefused(t *testing.T) {
	if _, err := sse.NewReader(endless{}).Next(); !errors.Is(err, sse.ErrTooLarge) {
		t.Errorf("err = %v, want ErrTooLarge", err)
	}
}

// room is for so many bytes.
type room struct{ most, used, peak int64 }

func (r *room) Take(n int64) bool {
	if r.used+n > r.most {
		return false
	}
	r.used += n
	r.peak = max(r.peak, r.used)
	return true
}

func (r *room) Give(n int64) { r.used -= n }

func TestLargeEventsNeedRoomWhileTheyAreRead(t *testing.T) {
	const mb = 1 << 20
	small := strings.Repeat("data: a\n\n", 100)
	for name, large := range map[string]string{
		"one line": "data: " + strings.Repeat("x", 6*mb) + "\n\n", "many lines": strings.Repeat("data: x\n", 700_000) + "\n",
	} {
		have := &room{most: 10 * mb}
		r := sse.NewReader(strings.NewReader(small + large + small + large[:3*mb]))
		r.Within(have)
		events := 0
		for {
			got, err := r.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				break
			}
			if large := len(got[0].Data) > mb; !large && events > 0 && have.used > mb {
				t.Errorf("%s: %d bytes are held for small events", name, have.used)
			}
			events += len(got)
		}
		if events != 201 || have.peak < 5*mb || have.used < 3*mb {
			t.Errorf("%s: %d events, %d bytes at most, %d in the end", name, events, have.peak, have.used)
		}
		if r.Close(); have.used != 0 {
			t.Errorf("%s: %d bytes were not given back", name, have.used)
		}
	}
	r := sse.NewReader(endless{})
	r.Within(&room{most: mb})
	if _, err := r.Next(); !errors.Is(err, sse.ErrNoRoom) {
		t.Errorf("got %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("data: a\r\n\r\nevent: b\ndata: c\ndata: d\n\n: e\n\n\xef\xbb\xbf"), 3)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		whole := read(t, bytes.NewReader(in))
		pieces := read(t, &pieceReader{in, 1 + max(0, piece)%7})
		if d := cmp.Diff(whole, pieces); d != "" {
			t.Errorf("%q read whole and in pieces differ: %s", in, d)
		}
		r := sse.NewReader(bytes.NewReader(in))
		for {
			events, err := r.Next()
			if err != nil {
				return
			}
			if raw := r.Raw(); raw != nil {
				var again []byte
				for _, e := range events {
					again = sse.AppendData(again, e.Data)
				}
				if !bytes.Equal(raw, again) {
					t.Fatalf("raw %q is not the frames of its events %q", raw, again)
				}
			}
		}
	})
}

type pieceReader struct {
	rest []byte
	n    int
}

func (p *pieceReader) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func BenchmarkReader(b *testing.B) {
	stream := bytes.Repeat([]byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}]}\n\n"), 1000)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		r := sse.NewReader(bytes.NewReader(stream))
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
