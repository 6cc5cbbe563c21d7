package media_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/engine/media"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
)

// square is a grey PNG file of n by n pixels.
func square(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, n, n))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dataURL(typ string, data []byte) llm.Text {
	return llm.NewText("data:" + typ + ";base64," + base64.StdEncoding.EncodeToString(data))
}

func said(role llm.Role, parts ...llm.Part) llm.Message {
	return llm.Message{Role: role, Form: llm.FormParts, Parts: parts}
}

func sound(format string, data []byte) llm.Audio {
	return llm.Audio{Format: format, Data: llm.NewText(base64.StdEncoding.EncodeToString(data)), Loc: []any{"body", "messages", 0, "content", 0}}
}

// wavFile is a file of samples, of a kind and rate that its header tells.
func wavFile(kind, channels uint16, rate uint32, bits uint16, samples int, chunks ...string) []byte {
	le := binary.LittleEndian
	b := []byte("RIFF\x00\x00\x00\x00WAVE")
	for _, c := range chunks {
		b = append(b, c...)
	}
	b = le.AppendUint32(append(b, "fmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, kind), channels)
	b = le.AppendUint32(le.AppendUint32(b, rate), rate*uint32(channels)*uint32(bits)/8)
	b = le.AppendUint16(le.AppendUint16(b, channels*bits/8), bits)
	b = le.AppendUint32(append(b, "data"...), uint32(samples))
	return append(b, make([]byte, samples)...)
}

// mp3File is a file of frames, each of whose header is head.
func mp3File(head string, size, frames int) []byte {
	frame := append([]byte(head), make([]byte, size-len(head))...)
	return bytes.Repeat(frame, frames)
}

var (
	wav = wavFile(1, 1, 16000, 16, 320)
	mp3 = mp3File("\xff\xfb\x90\x00", 417, 3) // MPEG 1, 128 kbit/s, 44.1 kHz
)

func TestNoTextHasAMark(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                           "",
		"plain < __media_":           "plain < __media_",
		"<__media__>":                "< __media__>",
		"a <__media_0f__><__media_":  "a < __media_0f__>< __media_",
		"<__image__>":                "< __image__>",
		"<<__media__>__media__>":     "<< __media__>__media__>",
		"<__IMAGE__> <__im <__medi>": "<__IMAGE__> <__im <__medi>",
	} {
		if got := media.Plain(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if got := media.PlainText(llm.NewText(in)).String(); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	for _, mark := range media.Marks() {
		if strings.Contains(media.Plain("a"+mark+"b"), mark) {
			t.Errorf("%q is left", mark)
		}
	}
}

func TestImagesBecomeDataWhereverTheyStand(t *testing.T) {
	t.Parallel()
	one, two := square(t, 1), square(t, 2)
	ms := []llm.Message{
		said(llm.User, llm.NewText("<__media__>"), llm.Image{URL: dataURL("text/plain", one), Detail: "low"}, llm.Reasoning{Text: llm.NewText("r")}),
		said(llm.ToolRole, llm.ToolResult{CallID: "a", Content: []llm.Part{llm.Image{URL: dataURL("image/png", two)}, llm.NewText("<__image__>")}}),
		said(llm.User, llm.NewText("b"), sound("mp3", wav)),
	}
	before, err := json.Marshal(ms)
	if err != nil {
		t.Fatal(err)
	}
	if !media.In(ms) || !media.In(ms[1:2]) || !media.In(ms[2:]) || media.In([]llm.Message{said(llm.User, llm.NewText("x"))}) {
		t.Error("it is not seen where there are images")
	}
	got, err := media.Inline(t.Context(), ms, picture.New(picture.Options{}), true)
	if err != nil {
		t.Fatal(err)
	}
	size := func(p llm.Part) int {
		data, ok := strings.CutPrefix(p.(llm.Image).URL.String(), "data:image/png;base64,")
		raw, err := base64.StdEncoding.DecodeString(data)
		c, errPNG := png.DecodeConfig(bytes.NewReader(raw))
		if !ok || err != nil || errPNG != nil {
			t.Fatalf("%.40q: %v, %v", p, err, errPNG)
		}
		return c.Width
	}
	result := got[1].Parts[0].(llm.ToolResult)
	if size(got[0].Parts[1]) != 1 || size(result.Content[0]) != 2 || got[0].Parts[1].(llm.Image).Detail != "low" {
		t.Errorf("got %+v", got)
	}
	if a, b := got[0].Parts[0].(llm.Text).String(), result.Content[1].(llm.Text).String(); a != "< __media__>" || b != "< __image__>" {
		t.Errorf("texts %q, %q", a, b)
	}
	if a := got[2].Parts[1].(llm.Audio); a.Format != "wav" {
		t.Errorf("a WAV file is called %s", a.Format)
	}
	if after, err := json.Marshal(ms); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the caller's messages changed: %v", err)
	}
	if got, err = media.Inline(t.Context(), ms[:1], picture.New(picture.Options{}), false); err != nil || got[0].Parts[0].(llm.Text).String() != "<__media__>" {
		t.Errorf("a text for a server without marks changed: %+v, %v", got, err)
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	at := []any{"body", "messages", 1, "content", 0}
	bad := func(url string) llm.Image { return llm.Image{URL: llm.NewText(url), Loc: at} }
	placed := func(a llm.Audio) llm.Audio { a.Loc = at; return a }
	good := llm.Image{URL: dataURL("image/png", square(t, 1))}
	for name, part := range map[string]llm.Part{
		"no image":               bad("data:image/png;base64,AAAA"),
		"no base64":              bad("data:image/png;base64,?"),
		"an address":             bad("https://example.com/x.png"),
		"a file":                 bad("file:///x.png"),
		"a sound in no data URL": llm.Audio{URL: llm.NewText("data:audio/wav,abc"), Loc: at},
		"a sound's address":      llm.Audio{URL: llm.NewText("https://example.com/x.wav"), Loc: at},
		"a sound of other bytes": placed(sound("wav", []byte("OggS and more than twelve bytes"))),
		"a short sound":          placed(sound("wav", []byte("RIFF"))),
		"a sound of one hertz":   placed(sound("wav", wavFile(1, 1, 1, 16, 4000))),
		"a sound of no channel":  placed(sound("wav", wavFile(1, 0, 16000, 16, 4000))),
		"a compressed WAV":       placed(sound("wav", wavFile(2, 1, 16000, 4, 4000))),
		"a WAV without samples":  placed(sound("wav", []byte("RIFF\x00\x00\x00\x00WAVEfmt \x00\x00\x00\x00"))),
		"samples without format": placed(sound("wav", []byte("RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd"))),
		"a long WAV":             placed(sound("wav", wavFile(1, 1, 8000, 8, 8000*601))),
		"a long MP3":             placed(sound("mp3", mp3File("\xff\xe3\x18\x00", 72, 8400))), // MPEG 2.5, 8 kbit/s, 8 kHz: 72 ms
		"an MP3 without frames":  placed(sound("mp3", append([]byte("ID3"), make([]byte, 20)...))),
		"an empty sound":         placed(sound("mp3", nil)),
		"a sound in no base64":   llm.Audio{Format: "wav", Data: llm.NewText("?"), Loc: at},
	} {
		_, err := media.Inline(t.Context(), []llm.Message{said(llm.User, good), said(llm.User, part)}, picture.New(picture.Options{}), true)
		e, ok := errors.AsType[*llm.Error](err)
		if !ok || e.Kind != llm.Invalid || e.Param != "messages" || len(e.Details) != 1 || !cmp.Equal(e.Details[0].Loc, at) || e.Details[0].Msg == "" {
			t.Errorf("%s: %+v", name, err)
		}
	}
	for _, c := range []struct {
		data   []byte
		format string
	}{
		{wav, "wav"},
		{mp3, "mp3"},
		{append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), mp3...), "mp3"},
		{wavFile(3, 2, 48000, 32, 4000, "LIST\x03\x00\x00\x00abc\x00"), "wav"},
		{wavFile(1, 1, 8000, 8, 8000*599), "wav"},
		{mp3File("\xff\xe3\x18\x00", 72, 8300), "mp3"},
	} {
		got, err := media.Inline(t.Context(), []llm.Message{said(llm.User, sound("wav", c.data))}, picture.New(picture.Options{}), true)
		if err != nil || got[0].Parts[0].(llm.Audio).Format != c.format {
			t.Errorf("%q: %+v, %v", c.data, got, err)
		}
	}
	inURL := llm.Audio{URL: llm.NewText("data:audio/x;BASE64," + base64.StdEncoding.EncodeToString(mp3))}
	got, err := media.Inline(t.Context(), []llm.Message{said(llm.User, inURL)}, picture.New(picture.Options{}), true)
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := got[0].Parts[0].(llm.Audio); a.Format != "mp3" || !a.URL.Empty() || a.Data.String() != base64.StdEncoding.EncodeToString(mp3) {
		t.Errorf("a data URL became %+v", a)
	}
	p := llm.Picture{Image: bad("data:image/png;base64,AAAA")}
	if _, err := media.Read(t.Context(), picture.New(picture.Options{}), p); !strings.Contains(errorOf(err).Details[0].Msg, "image") {
		t.Errorf("got %v", err)
	}
}

func errorOf(err error) *llm.Error {
	e, ok := errors.AsType[*llm.Error](err)
	if !ok || len(e.Details) == 0 {
		return &llm.Error{Details: []llm.Detail{{}}}
	}
	return e
}

func TestAComplaintOfTheServerNamesThePart(t *testing.T) {
	t.Parallel()
	picture := func(at string) llm.Image { return llm.Image{Loc: []any{at}} }
	ms := []llm.Message{
		said(llm.User, picture("first"), llm.NewText("x")),
		said(llm.Assistant, picture("second")),
		said(llm.User, llm.Audio{Loc: []any{"third"}}),
	}
	invalid := func(msg string) error { return &llm.Error{Kind: llm.Invalid, Message: msg} }
	for _, c := range []struct {
		name string
		err  error
		ms   []llm.Message
		kind llm.Kind
		loc  []any
		says string
	}{
		{"a template without a place", invalid("Failed to tokenize prompt"), ms, llm.Unsupported, []any{"second"}, "'assistant'"},
		{"a user's images alone", invalid("Failed to tokenize prompt"), ms[:1], llm.Unsupported, []any{"first"}, "'user'"},
		{"a sound that cannot be decoded", invalid("Failed to load image or audio file"), ms, llm.Invalid, []any{"third"}, "sound"},
		{"no image", invalid("Failed to tokenize prompt"), nil, llm.Invalid, nil, "tokenize"},
		{"another complaint", invalid("temperature"), ms, llm.Invalid, nil, "temperature"},
	} {
		e, _ := errors.AsType[*llm.Error](media.Misplaced(c.err, "seer", c.ms))
		if e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.says) || (c.loc != nil) != (len(e.Details) == 1) || c.loc != nil && !cmp.Equal(e.Details[0].Loc, c.loc) {
			t.Errorf("%s: got %+v", c.name, e)
		}
	}
	if err := errors.New("broken"); !errors.Is(media.Misplaced(err, "seer", ms), err) {
		t.Error("an error of another kind changed")
	}
}

func TestEmbeddingsAreAskedForAndReadAsTheServerHasThem(t *testing.T) {
	t.Parallel()
	body := media.EmbedBody("<M>", media.Prompt{Before: "q: ", Behind: "a \"cat\"\n", Image: &picture.Picture{Data: []byte("one")}})
	const want = `{"content":[{"prompt_string":"q: <M>a \"cat\"\n","multimodal_data":["b25l"]}]}`
	if string(body) != want {
		t.Errorf("got %s\nwant %s", body, want)
	}
	got, err := media.Vector([]byte(`[{"index":0,"embedding":[[1,2]]}]`))
	if diff := cmp.Diff([]float32{1, 2}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{
		``, `{}`, `[]`, `null`, `[{}]`, `[{"embedding":[]}]`, `[{"embedding":[[]]}]`, `[{"embedding":[[1],[2]]}]`, `[{"embedding":[["x"]]}]`,
		`[{"embedding":[1]}]`, `[{"embedding":[[1]]},{"embedding":[[1]]}]`, `[{"embedding":[[1]]`,
	} {
		if _, err := media.Vector([]byte(bad)); errorKind(err) != llm.Upstream {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func errorKind(err error) llm.Kind {
	e, ok := errors.AsType[*llm.Error](err)
	if !ok {
		return llm.Internal
	}
	return e.Kind
}

func TestTheMarkerIsWhatTheServerSays(t *testing.T) {
	t.Parallel()
	for props, want := range map[string]string{
		`{"modalities":{"vision":true},"media_marker":"<__media_x__>"}`:  "<__media_x__>",
		`{"modalities":{"vision":false},"media_marker":"<__media_x__>"}`: "",
		`{"modalities":{"vision":true}}`:                                 "",
		`{}`:                                                             "",
	} {
		if got, err := media.Marker([]byte(props)); err != nil || got != want {
			t.Errorf("%s: %q, %v", props, got, err)
		}
	}
	if _, err := media.Marker([]byte(`{`)); err == nil {
		t.Error("what is no JSON was read")
	}
}

func FuzzSound(f *testing.F) {
	f.Add(wav)
	f.Add(mp3)
	f.Add([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f and more"))
	f.Add(wavFile(0xfffe, 8, 192000, 24, 100, "fact\x04\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := media.Inline(t.Context(), []llm.Message{said(llm.User, sound("wav", data))}, picture.New(picture.Options{}), true)
		if err != nil {
			return
		}
		if format := got[0].Parts[0].(llm.Audio).Format; format != "wav" && format != "mp3" {
			t.Fatalf("format %q", format)
		}
	})
}

func FuzzVector(f *testing.F) {
	f.Add([]byte(`[{"index":0,"embedding":[[1,2]]}]`))
	f.Add([]byte(`[{"index":0,"embedding":[]}]`))
	f.Add([]byte(`{"error":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if v, err := media.Vector(body); err == nil && len(v) == 0 {
			t.Fatal("an empty vector")
		}
	})
}
