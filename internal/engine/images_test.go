package engine_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
)

// square is a grey PNG file of n by n pixels.
func square(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, n, n))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dataURL(data []byte) llm.Text {
	return llm.NewText("data:image/png;base64," + base64.StdEncoding.EncodeToString(data))
}

// web answers every request with a file.
type web []byte

func (w web) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(w)), ContentLength: int64(len(w)), Request: r}, nil
}

// seer is a model with a projector.
func seer(name string) engine.Settings {
	s := local(name)
	s.Spec.Projector, s.Patches = "/folder/of/mmproj.gguf", 9
	return s
}

func look(url llm.Text) *llm.ChatRequest {
	return &llm.ChatRequest{Messages: []llm.Message{{Role: llm.User, Form: llm.FormParts, Parts: []llm.Part{
		llm.Image{URL: url, Loc: []any{"body", "messages", 0, "content", 0}}, llm.NewText("<__media__>"),
	}}, message(llm.User, "echo <__media_0f__>")}}
}

func TestTheServerGetsImagesAsDataOnly(t *testing.T) {
	t.Parallel()
	file := square(t, 3)
	for name, s := range map[string]engine.Settings{"the engine's": seer("shown"), "the user's": command("shown")} {
		s.Pictures = picture.New(picture.Options{HTTP: web(file)})
		m := pool(t, 0).Model(s)
		for _, url := range []llm.Text{dataURL(file), llm.NewText("https://example.com/x.png")} {
			said := textOf(t, collect(t, m.Chat(t.Context(), look(url))), 0)
			var got struct{ Messages []struct{ Content any } }
			if err := json.Unmarshal([]byte(strings.TrimSuffix(said, "two")), &got); err != nil {
				t.Fatal(err)
			}
			parts, _ := got.Messages[0].Content.([]any)
			shown := parts[0].(map[string]any)["image_url"].(map[string]any)["url"].(string)
			if !strings.HasPrefix(shown, "data:image/png;base64,") || strings.Contains(said, "example.com") {
				t.Errorf("%s: %.300s", name, said)
			}
			text, last := parts[1].(map[string]any)["text"], got.Messages[1].Content
			if marked := name == "the engine's"; marked != (text == "< __media__>") || marked != (last == "echo < __media_0f__>") {
				t.Errorf("%s: texts %q and %q", name, text, last)
			}
		}
	}
}

func TestAnImageThatCannotBeReadWaitsForNothing(t *testing.T) {
	t.Parallel()
	m := pool(t, 0).Model(seer("absent"))
	_, err := m.Chat(t.Context(), look(llm.NewText("data:image/png;base64,AAAA"))).Collect()
	e, ok := errors.AsType[*llm.Error](err)
	if !ok || e.Kind != llm.Invalid || len(e.Details) != 1 || !cmp.Equal(e.Details[0].Loc, []any{"body", "messages", 0, "content", 0}) {
		t.Errorf("got %+v", err)
	}
	_, err = m.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.Picture{Image: llm.Image{URL: llm.NewText("x"), Loc: []any{"body", "input", 0, "image"}}}}})
	if e, ok := errors.AsType[*llm.Error](err); !ok || e.Param != "input" || !cmp.Equal(e.Details[0].Loc, []any{"body", "input", 0, "image"}) {
		t.Errorf("got %+v", err)
	}
	if s, _ := m.State(); s.State != process.Absent {
		t.Errorf("the model is %s", s.State)
	}
}

func TestPicturesAreEmbeddedOneByOne(t *testing.T) {
	t.Parallel()
	s := seer("pictures")
	s.Embedding = engine.Embedding{QueryPrefix: "find: ", Suffix: "</s>"}
	m := pool(t, 0).Model(s)
	text := func(s string) *llm.Text { t := llm.NewText(s); return &t }
	items := []llm.Input{
		llm.Picture{Image: llm.Image{URL: dataURL(square(t, 1))}},
		llm.Picture{Image: llm.Image{URL: dataURL(square(t, 90))}, Text: text("two words")},
		llm.Picture{Image: llm.Image{URL: dataURL(square(t, 1))}, Text: text("<__media__>")},
	}
	got, err := m.Embed(t.Context(), &llm.EmbedRequest{Items: items, InputType: llm.InputQuery})
	if err != nil {
		t.Fatal(err)
	}
	const marker, prefix, suffix = len("<__media_0f__>"), len("find: "), len("</s>")
	want := [][]float32{ // one call for each
		{float32(prefix + marker + suffix), got.Vectors[0][1], 1, 4},
		{float32(prefix + marker + len("two words") + suffix), got.Vectors[1][1], 1, 4},
		{float32(prefix + marker + len("< __media__>") + suffix), got.Vectors[0][1], 1, 4},
	}
	if diff := cmp.Diff(want, got.Vectors); diff != "" {
		t.Error(diff)
	}
	if got.Vectors[0][1] == got.Vectors[1][1] {
		t.Error("images of all sizes are the same")
	}
	if diff := cmp.Diff(&llm.Usage{Prompt: 3, Images: 3, Patches: 27}, got.Usage); diff != "" {
		t.Error(diff)
	}
	if got.Model != "public-pictures" {
		t.Errorf("the model is %q", got.Model)
	}

	s.Embedding.MaxTokens = 1
	_, err = pool(t, 0).Model(s).Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{items[0], items[2], items[1]}})
	if e, ok := errors.AsType[*llm.Error](err); !ok || e.Kind != llm.TooLong || !strings.HasPrefix(e.Message, "input[2]: ") {
		t.Errorf("a text that is too long: %v", err)
	}

	s.Embedding.MaxTokens, s.Embedding.Matryoshka, s.Info.Dimensions, s.Embedding.Suffix = 0, true, 4, ""
	m = pool(t, 0).Model(s)
	got, err = m.Embed(t.Context(), &llm.EmbedRequest{Items: items[:1], Dimensions: new(2)})
	if err != nil || len(got.Vectors[0]) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if v := got.Vectors[0]; v[0]*v[0]+v[1]*v[1] < 0.999 || v[0]*v[0]+v[1]*v[1] > 1.001 {
		t.Errorf("cut to %v", v)
	}
}

func TestAnEngineThatEmbedsNoImagesIsNotAsked(t *testing.T) {
	t.Parallel()
	m := pool(t, 0).Model(seer("sightless"))
	_, err := m.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.Picture{Image: llm.Image{URL: dataURL(square(t, 1))}}}})
	if e, ok := errors.AsType[*llm.Error](err); !ok || e.Kind != llm.Upstream || !strings.Contains(e.Message, "embeds no images") {
		t.Errorf("got %v", err)
	}
}

func TestTextsOfAModelThatSeesHaveNoMarks(t *testing.T) {
	t.Parallel()
	m := pool(t, 0).Model(seer("texts"))
	r := collect(t, m.Complete(t.Context(), &llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("echo <__media_0f__>")}}))
	if got := echoed(t, r, 0).Prompt; fmt.Sprint(got) != "[echo < __media_0f__>]" && fmt.Sprint(got) != "echo < __media_0f__>" {
		t.Errorf("the prompt is %q", got)
	}
	got, err := m.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.NewText("<__media_0f__>")}})
	if err != nil || got.Vectors[0][0] != float32(len("< __media_0f__>")) {
		t.Errorf("%+v, %v", got, err)
	}
}
