package request

import (
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// DecodeEmbedImages reads an image embedding request (doc/protocol.md §6.1), whose items are all Pictures. Of an image only
// the address is judged: a data URL, or one to fetch. The request aliases body.
func DecodeEmbedImages(body []byte, c Contract) (*llm.EmbedRequest, error) {
	return decodeEmbed(body, c, (*fields).pictures)
}

func (f *fields) pictures(v jsonx.Value) []llm.Input {
	if f.absent(v, "input") || !f.list(v, maxInputs, "input") {
		return nil
	}
	var out []llm.Input
	for i, e := range v.Elements() {
		if f.full() {
			return nil
		}
		if f.object(e, "input", i) {
			out = append(out, f.picture(e, i))
		}
	}
	return out
}

func (f *fields) picture(v jsonx.Value, i int) llm.Picture {
	image := v.Get("image")
	url, ok := f.text(image, "input", i, "image")
	if ok && !url.Begins("data:") && !url.Begins("https:") && !url.Begins("http:") {
		f.fail("url_parsing", "Input should be an image as a data URL (data:image/png;base64,…) or at an https URL", image, "input", i, "image")
	}
	p := llm.Picture{Image: llm.Image{URL: url, Loc: []any{"body", "input", i, "image"}}}
	if text := v.Get("text"); !text.Null() {
		if t, ok := f.text(text, "input", i, "text"); ok && !t.Empty() {
			p.Text = &t
		}
	}
	return p
}
