package mock

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Embed makes a unit vector of each item from a hash of its text or pixels.
// Fewer dimensions are the beginning of more, normalised again.
func (m *Model) Embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	fault := m.fault()
	if err := fault.refusal(); err != nil {
		return nil, err
	}
	if err := m.does(r.Operation()); err != nil {
		return nil, err
	}
	dimensions := m.options.Dimensions
	if r.Dimensions != nil {
		dimensions = *r.Dimensions
	}
	switch {
	case dimensions < 1 || dimensions > MaxDimensions:
		return nil, atMost(MaxDimensions, "dimensions")
	case len(r.Items)*dimensions > maxFloats:
		return nil, invalid("too_long", fmt.Sprintf("The answer should have at most %d numbers in all", maxFloats), "input")
	}
	texts := make([]string, len(r.Items))
	usage := &llm.Usage{}
	for i, item := range r.Items {
		texts[i] = read(item)
		count := countTokens(texts[i])
		if err := screen(texts[i:i+1], count, "input"); err != nil {
			return nil, err
		}
		usage.Prompt += count
	}
	if m.options.Behaviour == ImageEmbedding {
		if err := m.see(ctx, r, texts, usage); err != nil {
			return nil, err
		}
	}
	if fault.Stall > 0 {
		<-ctx.Done()
		return nil, llm.AsError(context.Cause(ctx))
	}
	pace := newPace(m.options)
	defer pace.stop()
	if err := pace.wait(ctx, 0); err != nil {
		return nil, err
	}
	reply := &llm.EmbedReply{
		Model: m.options.Name,
		Usage: usage,
		Meta:  llm.Meta{Deployment: m.options.Name, Provider: "mock"},
	}
	for _, text := range texts {
		reply.Vectors = append(reply.Vectors, vector(text, dimensions))
	}
	return reply, nil
}

// vector draws a direction, all equally likely, from a hash of the text.
func vector(text string, dimensions int) []float32 {
	draw := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(text)))) //nolint:gosec // it has to be repeatable, not secret
	numbers := make([]float64, dimensions)
	length := 0.0
	for i := range numbers {
		numbers[i] = draw.NormFloat64()
		length += numbers[i] * numbers[i]
	}
	length = math.Sqrt(length)
	unit := make([]float32, dimensions)
	for i, x := range numbers {
		unit[i] = float32(x / length)
	}
	return unit
}
