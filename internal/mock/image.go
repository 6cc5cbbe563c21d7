package mock

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
)

// look reads the images of a conversation and returns how many tokens they are.
func (m *Model) look(ctx context.Context, caller string, images []llm.Image) (int, error) {
	urls := make([]string, len(images))
	for i, image := range images {
		urls[i] = image.URL.String()
	}
	pictures, err := m.options.Pictures.For(caller).ReadAll(ctx, urls)
	if err != nil {
		return 0, unreadable(err, images)
	}
	tokens := 0
	for _, p := range pictures {
		tokens += patches(p)
	}
	return tokens, nil
}

// see puts before the text of each item of a request what its image looks like, and counts the images.
func (m *Model) see(ctx context.Context, r *llm.EmbedRequest, texts []string, usage *llm.Usage) error {
	const together = 4
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(together)
	var sum atomic.Int64
	batch := m.options.Pictures.For(r.Caller.Name).Batch()
	for i, item := range r.Items {
		in, ok := item.(llm.Picture)
		if !ok {
			continue
		}
		group.Go(func() error {
			p, err := batch.Read(each, in.Image.URL.String())
			if err != nil {
				return unreadable(err, []llm.Image{in.Image})
			}
			looks := sha256.Sum256(p.Data)
			texts[i] = string(looks[:]) + texts[i]
			sum.Add(int64(patches(p)))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	usage.Images, usage.Patches = len(r.Items), int(sum.Load())
	return nil
}

// patches counts the patches of an image that was made to fit the square that the model sees.
func patches(p *picture.Picture) int {
	const patch, square = 14, 448
	across := func(side int) int {
		if longest := max(p.Width, p.Height); longest > square {
			side = max(1, side*square/longest)
		}
		return (side + patch - 1) / patch
	}
	return across(p.Width) * across(p.Height)
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
