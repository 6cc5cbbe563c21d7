// Package script is a model for tests that says what it is told to, whatever it is asked.
package script

import (
	"context"
	"slices"
	"sync"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Model answers every request alike. Its fields must not change while it answers; calls may be concurrent.
type Model struct {
	llm.Unimplemented
	Fragments []*llm.Reply  // of an answer to a chat or a text completion
	Vectors   [][]float32   // of an answer to embeddings
	Err       error         // after the fragments, and in the place of vectors
	Wait      chan struct{} // held open before the last fragment; nil: nothing is waited for

	mu    sync.Mutex
	asked []*llm.ChatRequest
}

var _ llm.Backend = (*Model)(nil)

// Chat answers with the fragments.
func (m *Model) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, r)
	return m.stream(ctx)
}

// Complete answers with the fragments.
func (m *Model) Complete(ctx context.Context, _ *llm.CompleteRequest) llm.Stream {
	return m.stream(ctx)
}

// Embed answers with the vectors.
func (m *Model) Embed(context.Context, *llm.EmbedRequest) (*llm.EmbedReply, error) {
	if m.Err != nil {
		return nil, m.Err
	}
	return &llm.EmbedReply{Vectors: m.Vectors, Usage: &llm.Usage{Prompt: 4}}, nil
}

// Asked are the chats that it was asked for, in order.
func (m *Model) Asked() []*llm.ChatRequest {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

// Last is the newest of them, which there must be.
func (m *Model) Last() *llm.ChatRequest {
	asked := m.Asked()
	return asked[len(asked)-1]
}

func (m *Model) stream(ctx context.Context) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		for i, f := range m.Fragments {
			if m.Wait != nil && i == len(m.Fragments)-1 {
				select {
				case <-m.Wait:
				case <-ctx.Done():
					yield(nil, ctx.Err())
					return
				}
			}
			if !yield(f, nil) {
				return
			}
		}
		if m.Err != nil {
			yield(nil, m.Err)
		}
	}
}
