// Package media prepares images and sounds for llama.cpp's server, in whose prompts marks stand for them, and reads what it
// answers about them.
package media

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
)

// Marks are the texts that stand for an image or a sound in a prompt: the beginning of llama.cpp's, which ends in what is
// random at each start, and one of its past. In what callers say they are only text.
func Marks() []string { return []string{mark, oldMark} }

const (
	mark    = "<__media_"
	oldMark = "<__image__>"
)

// Plain is a text without marks: a blank inside makes them text.
func Plain(s string) string {
	if !strings.Contains(s, mark) && !strings.Contains(s, oldMark) {
		return s
	}
	return strings.NewReplacer(mark, "< __media_", oldMark, "< __image__>").Replace(s)
}

// PlainText is t itself where it has no mark.
func PlainText(t llm.Text) llm.Text {
	said := t.String()
	if plain := Plain(said); plain != said {
		return llm.NewText(plain)
	}
	return t
}

// In reports whether messages have images or sounds.
func In(ms []llm.Message) bool {
	found := false
	each(ms, func(_ *llm.Message, p llm.Part) {
		switch p.(type) {
		case llm.Image, llm.Audio:
			found = true
		case llm.Text, llm.Reasoning, llm.Refusal, llm.ToolCall, llm.ToolResult, llm.Opaque:
		}
	})
	return found
}

// Inline returns messages whose images and sounds were checked and are data, for a server that must fetch nothing; with marked,
// their texts have no marks. It shares with ms what it need not change. Errors name the part at fault.
func Inline(ctx context.Context, ms []llm.Message, reader *picture.Reader, marked bool) ([]llm.Message, error) {
	var images []llm.Image
	var urls []string
	each(ms, func(_ *llm.Message, p llm.Part) {
		if image, ok := p.(llm.Image); ok {
			images, urls = append(images, image), append(urls, image.URL.String())
		}
	})
	pictures, err := reader.ReadAll(ctx, urls)
	if err != nil {
		return nil, unreadable(err, images)
	}
	in := inliner{pictures, marked}
	out := slices.Clone(ms)
	for i := range out {
		if out[i].Parts, err = in.parts(out[i].Parts); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// reader reads the image of a URL.
type reader interface {
	Read(ctx context.Context, url string) (*picture.Picture, error)
}

// Read reads the image of an input that is to be embedded.
func Read(ctx context.Context, r reader, p llm.Picture) (*picture.Picture, error) {
	got, err := r.Read(ctx, p.Image.URL.String())
	if err != nil {
		return nil, unreadable(err, []llm.Image{p.Image})
	}
	return got, nil
}

// inliner puts the images of a request in, in order.
type inliner struct {
	pictures []*picture.Picture
	marked   bool
}

func (in *inliner) parts(parts []llm.Part) ([]llm.Part, error) {
	parts = slices.Clone(parts)
	for i, p := range parts {
		var err error
		switch p := p.(type) {
		case llm.Text:
			if in.marked {
				parts[i] = PlainText(p)
			}
		case llm.Image:
			p.URL = DataURL(in.pictures[0])
			in.pictures = in.pictures[1:]
			parts[i] = p
		case llm.Audio:
			parts[i], err = sound(p)
		case llm.ToolResult:
			p.Content, err = in.parts(p.Content)
			parts[i] = p
		case llm.Reasoning, llm.Refusal, llm.ToolCall, llm.Opaque:
		}
		if err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// DataURL is a picture as the URL that holds it.
func DataURL(p *picture.Picture) llm.Text {
	b := append([]byte("data:"), p.Type...)
	b = append(b, ";base64,"...)
	return llm.NewText(string(base64.StdEncoding.AppendEncode(b, p.Data)))
}

// each calls f with every part of messages, those in results of tools too.
func each(ms []llm.Message, f func(*llm.Message, llm.Part)) {
	for i := range ms {
		for _, p := range ms[i].Parts {
			f(&ms[i], p)
			if r, ok := p.(llm.ToolResult); ok {
				for _, p := range r.Content {
					f(&ms[i], p)
				}
			}
		}
	}
}

// unreadable says which image is at fault, and of what.
func unreadable(err error, images []llm.Image) error {
	e, ok := errors.AsType[*picture.Error](err)
	if !ok || e.Index >= len(images) {
		return err
	}
	if e.Busy {
		const pause = 2 * time.Second
		return &llm.Error{Kind: llm.Unavailable, Message: e.Msg, RetryAfter: pause}
	}
	fault := llm.Faulty(llm.Detail{Type: e.Type, Msg: strings.TrimSuffix(e.Msg, "."), Loc: images[e.Index].Loc})
	fault.Err = e.Err
	return fault
}

// Misplaced turns the server's complaint that its template left an image or a sound out, or that it cannot decode one, into words
// that name it. Other errors it returns as they are.
func Misplaced(err error, model string, ms []llm.Message) error {
	e, ok := errors.AsType[*llm.Error](err)
	if !ok || e.Kind != llm.Invalid {
		return err
	}
	out := &llm.Error{Param: "messages", Err: err}
	var at llm.Detail
	switch {
	case strings.Contains(e.Message, "Failed to tokenize prompt"):
		loc, role := suspect(ms, true)
		out.Kind, at.Type, at.Loc = llm.Unsupported, "parameter_not_supported", loc
		at.Msg = "The chat template of model '" + model + "' has no place for an image or a sound in a message of role '" + string(role) + "'"
	case strings.Contains(e.Message, "Failed to load image or audio file"):
		at.Loc, _ = suspect(ms, false)
		out.Kind, at.Type, at.Msg = llm.Invalid, "value_error", "The sound cannot be decoded"
	}
	if at.Loc == nil {
		return err
	}
	out.Message, out.Details = at.Msg+".", []llm.Detail{at}
	return out
}

// suspect is the place of the first sound, or image, that is not in a user's message, which is what templates have a place for;
// else of the first.
func suspect(ms []llm.Message, images bool) (loc []any, role llm.Role) {
	each(ms, func(m *llm.Message, p llm.Part) {
		var here []any
		switch p := p.(type) {
		case llm.Image:
			if images {
				here = p.Loc
			}
		case llm.Audio:
			here = p.Loc
		case llm.Text, llm.Reasoning, llm.Refusal, llm.ToolCall, llm.ToolResult, llm.Opaque:
		}
		if here != nil && (loc == nil || role == llm.User && m.Role != llm.User) {
			loc, role = here, m.Role
		}
	})
	return loc, role
}
