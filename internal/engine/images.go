package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-llm/ingot/internal/engine/media"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
	"github.com/ingot-llm/ingot/internal/upstream"
)

// sees reports whether the child has a projector, and reads marks.
func (m *Model) sees() bool { return m.isLlama() && m.Spec.Projector != "" }

// marker remembers the text that stands for an image in a child's prompts, which is another one at each start.
type marker struct {
	mu    sync.Mutex
	asked string // the address of the child that was asked
	text  string
}

// marker asks each child once.
func (m *Model) marker(ctx context.Context, c *upstream.Client) (string, error) {
	k := &m.child.marker
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asked == c.Base {
		return k.text, nil
	}
	body, err := properties(ctx, c)
	if err != nil {
		return "", fmt.Errorf("ask model server for its properties: %w", err)
	}
	text, err := media.Marker(body)
	if err == nil && text == "" {
		err = &llm.Error{Kind: llm.Upstream, Message: "The engine of model '" + m.Info.Deployment + "' embeds no images: it is older than what Ingot was tested with, or its projector is not for images."}
	}
	if err != nil {
		return "", err
	}
	k.asked, k.text = c.Base, text
	return text, nil
}

// properties is what a child says of itself.
func properties(ctx context.Context, c *upstream.Client) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.Base, "/v1")+"/props", http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	const most = 4 << 20
	return io.ReadAll(io.LimitReader(res.Body, most))
}

// embedImages reads as many pictures at a time as the child has slots, and embeds them: so few are in memory, and none is fetched
// while a slot waits.
func (m *Model) embedImages(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	reply := &llm.EmbedReply{Model: m.Info.Model}
	batch := m.Pictures.For(r.Caller.Name).Batch()
	for items := range slices.Chunk(r.Items, max(1, m.Spec.Slots)) {
		pictures, err := read(ctx, batch, items)
		if err != nil {
			return nil, err
		}
		err = m.use(ctx, r.Caller, func(c *upstream.Client) (bool, error) {
			if m.isLlama() {
				return false, m.embedPictures(ctx, c, m.prefix(r.InputType), items, pictures, reply)
			}
			one := r.Edit()
			m.envelope(&one.Envelope)
			one.Items = inline(items, pictures)
			return false, embedPart(ctx, c, one, reply)
		})
		if err != nil {
			return nil, err
		}
	}
	return reply, nil
}

func read(ctx context.Context, batch *picture.Batch, items []llm.Input) ([]*picture.Picture, error) {
	pictures := make([]*picture.Picture, len(items))
	group, each := errgroup.WithContext(ctx)
	for i, in := range items {
		p, ok := in.(llm.Picture)
		if !ok {
			return nil, errors.New("embed images: an input is none")
		}
		group.Go(func() (err error) {
			pictures[i], err = media.Read(each, batch, p)
			return err
		})
	}
	return pictures, group.Wait()
}

// inline are pictures as data.
func inline(items []llm.Input, pictures []*picture.Picture) []llm.Input {
	out := slices.Clone(items)
	for i, in := range items {
		p, _ := in.(llm.Picture) // read has looked
		p.Image.URL = media.DataURL(pictures[i])
		out[i] = p
	}
	return out
}

// embedPictures appends the vectors of some pictures and what they took to reply. It asks for one after the other: each answer
// shows that the child is not hung, however long it looks at an image.
func (m *Model) embedPictures(ctx context.Context, c *upstream.Client, prefix string, items []llm.Input, pictures []*picture.Picture, reply *llm.EmbedReply) error {
	marker, err := m.marker(ctx, c)
	if err != nil {
		return err
	}
	used := llm.Usage{Images: len(items), Patches: len(items) * m.Patches}
	vectors := make([][]float32, len(items))
	for i, in := range items {
		n, err := countInput(ctx, c, in)
		if err != nil {
			return err
		}
		if most := m.Embedding.MaxTokens; most > 0 && n > most {
			return overlong(len(reply.Vectors)+i, n, most)
		}
		used.Prompt += n
		p, _ := in.(llm.Picture) // read has looked
		body, err := c.Post(ctx, strings.TrimSuffix(c.Base, "/v1")+"/embeddings", media.EmbedBody(marker, m.promptOf(prefix, p, pictures[i])))
		if err != nil {
			return placed(err, "input", items)
		}
		if vectors[i], err = media.Vector(body); err != nil {
			return err
		}
	}
	reply.Vectors = append(reply.Vectors, vectors...)
	spend(reply, used)
	return nil
}

func (m *Model) promptOf(prefix string, p llm.Picture, image *picture.Picture) media.Prompt {
	prompt := media.Prompt{Before: prefix, Image: image}
	if p.Text != nil {
		prompt.Behind = media.Plain(p.Text.String())
	}
	if prompt.Behind += m.Embedding.Suffix; m.Embedding.Suffix == "" {
		prompt.Behind += "\n"
	}
	return prompt
}

// countShown counts the tokens of a chat's prompt with its images: only reading it tells.
func countShown(ctx context.Context, c *upstream.Client, r *llm.ChatRequest) (int, error) {
	one := r.Edit()
	one.MaxTokens, one.N = new(1), nil
	reply, err := c.Chat(ctx, one).Collect()
	if err != nil || reply.Usage == nil {
		return 0, err
	}
	return reply.Usage.Prompt, nil
}
