package embed

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"slices"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// Two images of 32 by 32 pixels, as data URLs: red, and the left half blue.
const (
	red  = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAJ0lEQVR42u3NsQkAAAjAsP7/tF7hIASyp6lTCQQCgUAgEAgEgi/BAjLD/C5w/SM9AAAAAElFTkSuQmCC"
	half = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42u3NsQkAAAzDsPz/dHpDxoLAq1GSTnUcAgAAAAAAAAAAAL4ABzaH/C5GwC59AAAAAElFTkSuQmCC"
)

// Image is a request for the vector of an image.
func Image() check.M { return check.M{"input": check.L{check.M{"image": red}}} }

// images checks POST /images/embeddings.
func images() []check.Check {
	one := func(image any) check.M { return check.M{"input": check.L{check.M{"image": image}}} }
	refused := func(name, requires string, m check.M) check.Check {
		return check.Check{
			Name: "images/values/" + name, Section: "6.1", Requires: requires + " is refused with 422.",
			Breaks: "Clients, which check nothing themselves: a vector of nothing spoils their index.",
			Run:    func(t *check.T) { t.EmbedImages(m).Refused(http.StatusUnprocessableEntity) },
		}
	}
	// at is a refusal that names the image at fault among several.
	at := func(name, requires string, image any) check.Check {
		return check.Check{
			Name: "images/values/" + name, Section: "6.1",
			Requires: requires + " is refused with 422, at loc body, input, its place, image.",
			Breaks:   "Whoever sends many images, and has to find the one.",
			Run: func(t *check.T) {
				a := t.EmbedImages(check.M{"input": check.L{check.M{"image": red}, check.M{"image": image}}})
				loc := a.Refused(http.StatusUnprocessableEntity).At("error", "details", 0, "loc")
				for i, step := range (check.L{"body", "input", 1, "image"}) {
					loc.At(i).Is(step)
				}
			},
		}
	}
	return []check.Check{
		{
			Name: "images/answer/object", Section: "6.1", Requires: "object is list, and embedding in each element of data.", Breaks: "The typed SDKs.",
			Run: func(t *check.T) {
				v := t.EmbedImages(one(red)).OK()
				v.At("object").Is("list")
				v.At("data", 0, "object").Is("embedding")
				v.At("data", 0, "index").Is(0)
			},
		},
		{
			Name: "images/answer/id", Section: "6.1", Requires: "id is a GUID or 32 hexadecimal digits.", Breaks: "The Python SDK's own tests match it.",
			Run: func(t *check.T) { check.ID(t.EmbedImages(one(red)).OK().At("id")) },
		},
		{
			Name: "images/answer/model", Section: "6.1", Requires: "model is not empty.", Breaks: "The typed SDKs require it.",
			Run: func(t *check.T) { t.EmbedImages(one(red)).OK().At("model").NonEmpty() },
		},
		{
			Name: "images/answer/usage", Section: "6.1", Requires: "usage has prompt_tokens and total_tokens, the same number.", Breaks: "The typed SDKs require both.",
			Run: func(t *check.T) {
				u := t.EmbedImages(one(red)).OK().At("usage")
				if a, b := u.At("prompt_tokens"), u.At("total_tokens"); a.Exists() && b.Exists() && a.Int() != b.Int() {
					b.Fault("is %d, prompt_tokens is %d", b.Int(), a.Int())
				}
			},
		},
		{
			Name: "images/answer/order", Section: "6.1", Requires: "data is in the order of the input, and each image of several gets the vector that it gets alone.",
			Breaks: "Every client: images get each other's vectors.",
			Run: func(t *check.T) {
				all := t.EmbedImages(check.M{"input": check.L{check.M{"image": half}, check.M{"image": red}}}).OK().At("data")
				for i, image := range []string{half, red} {
					all.At(i, "index").Is(i)
					together := all.At(i, "embedding").Numbers()
					alone := t.EmbedImages(one(image)).OK().At("data", 0, "embedding").Numbers()
					if len(alone) > 0 && len(together) > 0 && !alike(alone, together) {
						all.Fault("element %d is another vector than its image has alone", i)
					}
				}
			},
		},
		{
			Name: "images/answer/different", Section: "6.1", Requires: "Different images have different vectors.", Breaks: "Searches find anything.",
			Run: func(t *check.T) {
				a, b := t.EmbedImages(one(red)).OK().At("data", 0, "embedding"), t.EmbedImages(one(half)).OK().At("data", 0, "embedding")
				if x, y := a.Numbers(), b.Numbers(); len(x) > 0 && slices.Equal(x, y) {
					b.Fault("is that of another image")
				}
			},
		},
		{
			Name: "images/encoding/base64", Section: "5.3",
			Requires: "base64 is a string: the float32 of the vector, little-endian, in standard base64 with padding. Or the format is refused with 422.",
			Breaks:   "Clients that ask for it to save bytes.",
			Run: func(t *check.T) {
				want := t.EmbedImages(one(red)).OK().At("data", 0, "embedding").Numbers()
				m := one(red)
				m["encoding_format"] = "base64"
				a := t.EmbedImages(m)
				if !a.OKOrRefused(http.StatusUnprocessableEntity) {
					return
				}
				v := a.OK().At("data", 0, "embedding")
				raw, err := base64.StdEncoding.DecodeString(v.Text())
				const width = 4
				if v.Exists() && (err != nil || len(raw) != width*len(want)) {
					v.Fault("is no base64 of %d float32 (%v, %d bytes)", len(want), err, len(raw))
					return
				}
				for i, x := range want {
					if got := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[width*i:]))); math.Abs(got-x) > doubt {
						v.Fault("[%d] is %v, and %v as a float", i, got, x)
						return
					}
				}
			},
		},
		{
			Name: "images/dimensions", Section: "6.1", Requires: "dimensions gives vectors of this length, or is refused with 422.", Breaks: "Indices of a fixed width.",
			Run: func(t *check.T) {
				m := one(red)
				m["dimensions"] = 8
				a := t.EmbedImages(m)
				if a.OKOrRefused(http.StatusUnprocessableEntity) {
					if e := a.OK().At("data", 0, "embedding"); e.Exists() && len(e.Numbers()) != 8 {
						e.Fault("has %d numbers, and 8 were asked for", len(e.Numbers()))
					}
				}
			},
		},
		{
			Name: "images/input/text", Section: "6.1", Requires: "An image with a text is taken, or refused with 422.", Breaks: "The SDKs' EmbeddingInput has both.",
			Run: func(t *check.T) {
				t.EmbedImages(check.M{"input": check.L{check.M{"image": red, "text": "a red square"}}}).OKOrRefused(http.StatusUnprocessableEntity)
			},
		},
		refused("input", "A request without input", check.M{"input": check.Absent}),
		refused("input-empty", "An empty list as input", check.M{"input": check.L{}}),
		refused("image", "An element without image", check.M{"input": check.L{check.M{"text": "a red square"}}}),
		at("base64", "An image that is no base64", "data:image/png;base64,%%%"),
		at("not-an-image", "Base64 of something else than an image", "data:image/png;base64,aGVsbG8="),
		at("cut", "An image of which the end is missing", red[:len(red)-40]),
	}
}
