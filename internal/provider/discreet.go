package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ingot-llm/ingot/internal/llm"
)

// shown is the credential that a server was last shown.
type shown struct{ atomic.Pointer[string] }

// remember keeps what authorize puts into a header.
func (s *shown) remember(authorize func(context.Context, http.Header) error) func(context.Context, http.Header) error {
	return func(ctx context.Context, h http.Header) error {
		if err := authorize(ctx, h); err != nil {
			return err
		}
		secret := strings.TrimPrefix(cmp.Or(h.Get("Authorization"), h.Get("Api-Key")), "Bearer ")
		if last := s.Load(); last == nil || *last != secret {
			s.Store(&secret)
		}
		return nil
	}
}

// stream is a stream whose error tells no credential.
func (s *shown) stream(from llm.Stream) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		from(func(r *llm.Reply, err error) bool {
			if err != nil {
				err = s.hide(err)
			}
			return yield(r, err)
		})
	}
}

// hide makes of an error one that tells no credential: a server may say in it what it was sent.
func (s *shown) hide(err error) error {
	const least = 8 // servers that ask for no key are shown a word, which an error may well hold
	e, ok := errors.AsType[*llm.Error](err)
	secret := s.Load()
	if !ok || secret == nil || len(*secret) < least {
		return err
	}
	hide := func(text string) string { return strings.ReplaceAll(text, *secret, "***") }
	out := *e
	out.Message, out.Param, out.Code = hide(e.Message), hide(e.Param), hide(e.Code)
	if e.Filter != nil {
		out.Filter = json.RawMessage(hide(string(e.Filter)))
	}
	if e.Err != nil && strings.Contains(e.Err.Error(), *secret) {
		out.Err = errors.New(hide(e.Err.Error()))
	}
	out.Details = slices.Clone(e.Details)
	for i := range out.Details {
		d := &out.Details[i]
		d.Type, d.Msg, d.Loc = hide(d.Type), hide(d.Msg), slices.Clone(d.Loc)
		for k, at := range d.Loc {
			if name, ok := at.(string); ok {
				d.Loc[k] = hide(name)
			}
		}
		if d.Input != nil {
			d.Input = json.RawMessage(hide(string(d.Input)))
		}
	}
	return &out
}
