package policy

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// MirrorOptions says where copies of requests go, and how many.
type MirrorOptions struct {
	To      llm.ModelInfo // the deployment that gets them; what it does not do, or is asked anyway, is not copied
	Share   float64       // of the requests, from 0 to 1
	Backend llm.Backend   // who answers the copies, without the limits of their callers
	Most    int           // copies under way at once; another is dropped
	Memory  int           // bytes that the bodies of the copies under way may have together; 0: no bound
	Time    time.Duration // for each copy
	Seed    uint64        // of the draw; 0: another one each time
	// Counted is told of each request that was drawn how its copy ended; nil: nobody is. It is called concurrently.
	Counted func(MirrorResult)
}

// MirrorResult is how a copy ended, as metrics call it.
type MirrorResult string

// The results of copies.
const (
	MirrorAnswered MirrorResult = "answered"
	MirrorFailed   MirrorResult = "failed"
	MirrorDropped  MirrorResult = "dropped" // too many or too large ones were under way
)

// Mirror copies a share of the requests to another deployment, in the background: the caller's answer neither waits for a copy nor
// learns of it. Whoever makes one closes it.
type Mirror struct {
	o    MirrorOptions
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex // guards what follows
	draw    *rand.Rand
	running int
	held    int
	copies  sync.WaitGroup
}

// NewMirror makes a Mirror.
func NewMirror(o MirrorOptions) *Mirror {
	if o.Seed == 0 {
		o.Seed = rand.Uint64() //nolint:gosec // a draw, not a secret
	}
	m := &Mirror{o: o, draw: rand.New(rand.NewPCG(o.Seed, 0))} //nolint:gosec // a draw, not a secret
	m.life, m.end = context.WithCancel(context.Background())
	return m
}

// Policy copies requests on their way to next.
func (m *Mirror) Policy(next llm.Backend) llm.Backend { return &mirrored{next: next, mirror: m} }

// Close ends the copies under way and waits for them. Later requests are not copied.
func (m *Mirror) Close() {
	m.mu.Lock() // so that no copy begins after it
	m.end()
	m.mu.Unlock()
	m.copies.Wait()
}

// copy draws whether a request is copied, and if so lets ask do it in the background.
func (m *Mirror) copy(ctx context.Context, op llm.Operation, env *llm.Envelope, ask func(context.Context, llm.Backend) error) {
	if env.Model == m.o.To.Deployment || !m.o.To.Does(op) {
		return
	}
	source, _ := env.Source()
	size := len(source.Body)
	drawn, free := m.take(size)
	if !drawn {
		return
	}
	if !free {
		m.counted(MirrorDropped)
		return
	}
	go func() {
		result := MirrorFailed
		defer func() {
			_ = recover() // a bug that a copy meets must not end the answers of others; it shows as a failure
			m.counted(result)
			m.release(size)
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.o.Time)
		defer cancel()
		stop := context.AfterFunc(m.life, cancel)
		defer stop()
		if err := ask(ctx, m.o.Backend); err == nil {
			result = MirrorAnswered
		}
	}()
}

// take draws whether a request is copied, and whether there is room for it, which is then taken.
func (m *Mirror) take(size int) (drawn, free bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life.Err() != nil || m.draw.Float64() >= m.o.Share {
		return false, false
	}
	if m.running >= m.o.Most || m.o.Memory > 0 && m.held+size > m.o.Memory {
		return true, false
	}
	m.running++
	m.held += size
	m.copies.Add(1)
	return true, true
}

func (m *Mirror) release(size int) {
	m.mu.Lock()
	m.running--
	m.held -= size
	m.mu.Unlock()
	m.copies.Done()
}

func (m *Mirror) counted(r MirrorResult) {
	if m.o.Counted != nil {
		m.o.Counted(r)
	}
}

type mirrored struct {
	next   llm.Backend
	mirror *Mirror
}

var _ llm.Backend = (*mirrored)(nil)

func (m *mirrored) Chat(ctx context.Context, req *llm.ChatRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		m.mirror.copy(ctx, llm.OpChat, &req.Envelope, func(ctx context.Context, b llm.Backend) error {
			return read(b.Chat(ctx, req.WithModel(m.mirror.o.To.Deployment)))
		})
		m.next.Chat(ctx, req)(yield)
	}
}

func (m *mirrored) Complete(ctx context.Context, req *llm.CompleteRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		m.mirror.copy(ctx, llm.OpComplete, &req.Envelope, func(ctx context.Context, b llm.Backend) error {
			return read(b.Complete(ctx, req.WithModel(m.mirror.o.To.Deployment)))
		})
		m.next.Complete(ctx, req)(yield)
	}
}

func (m *mirrored) Embed(ctx context.Context, req *llm.EmbedRequest) (*llm.EmbedReply, error) {
	m.mirror.copy(ctx, req.Operation(), &req.Envelope, func(ctx context.Context, b llm.Backend) error {
		_, err := b.Embed(ctx, req.WithModel(m.mirror.o.To.Deployment))
		return err //nolint:wrapcheck // it is only counted
	})
	return m.next.Embed(ctx, req)
}

func (m *mirrored) Models(ctx context.Context) ([]llm.ModelInfo, error) { return m.next.Models(ctx) }

// read takes in an answer that nobody wants.
func read(s llm.Stream) error {
	for _, err := range s {
		if err != nil {
			return err
		}
	}
	return nil
}
