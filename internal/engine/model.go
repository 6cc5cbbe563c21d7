package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/extra"
	"github.com/ingot-llm/ingot/internal/engine/media"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
	"github.com/ingot-llm/ingot/internal/upstream"
	"github.com/ingot-llm/ingot/internal/wire"
	"github.com/ingot-llm/ingot/internal/wire/openai"
)

// Settings describe one model.
type Settings struct {
	Info   llm.ModelInfo
	Spec   process.Spec
	Memory uint64        // bytes it takes when loaded; 0: not known, and not planned for
	Queue  int           // requests that may wait
	Wait   time.Duration // and how long
	System string        // system prompt for chats that bring none
	// Temperature and TopP are for requests that choose neither; nil: the engine's own.
	Temperature, TopP *float64
	// RemoteName is what a server of the user's calls the model; empty: its deployment's name.
	RemoteName string
	Embedding  Embedding
	Pictures   *picture.Reader // reads the images of requests; nil: one that takes data URLs only
	Patches    int             // into which the projector cuts any image; 0: not known
	Template   string          // its chat template
	Spaced     bool            // its tokenizer puts a space before a text
	Marks      []string        // tokens that steer it
	// Empty stands for an empty prompt to complete, of which the server would make no token; "": it makes one.
	Empty string
	// First and Silence are how long a stream may take to begin and between two pieces; 0: no limit.
	First, Silence time.Duration
}

// Embedding is what the encoder of a Settings was trained for.
type Embedding struct {
	Matryoshka                  bool // vectors may be cut
	QueryPrefix, DocumentPrefix string
	TextPrefix, Suffix          string // what begins an input that is neither, and what ends every input
	MaxTokens                   int    // longer input is refused; 0: the context
}

// The features of llama.cpp's server.
var (
	LlamaFeatures = llm.Features{
		Set:   llm.FeatureN | llm.FeatureLogprobs | llm.FeatureLogitBias | llm.FeatureTokens | llm.FeaturePrefix,
		Extra: extra.Names(),
	}
	LlamaEmbeds = llm.Features{Set: llm.FeatureTokens | llm.FeatureInputType}
)

// Model answers for one deployment.
type Model struct {
	Settings
	pool  *Pool
	child *child
	codec wire.Codec
}

var _ llm.Backend = (*Model)(nil)

// Model returns the Backend of a model. Its child starts with the first request. Give it back with Release.
func (p *Pool) Model(s Settings) *Model {
	if s.Pictures == nil {
		s.Pictures = picture.New(picture.Options{})
	}
	m := &Model{Settings: s, pool: p, child: p.attach(s.Spec, s.Memory), codec: llama{openai.Codec{Contract: llm.WireOpenAI}}}
	if s.Spec.Engine.Kind == process.Command {
		m.codec = openai.Codec{Contract: llm.WireOpenAI}
	}
	return m
}

// State tells how the model's child is doing, and how many requests wait.
func (m *Model) State() (process.Snapshot, int) { return m.child.State(), m.child.queue.length() }

// admit refuses what the model does not do, and members beyond the contract whose values its server should not get.
func (m *Model) admit(op llm.Operation, e *llm.Envelope) error {
	if !m.Info.Does(op) {
		return llm.NotDone(m.Info.Deployment, op)
	}
	if !m.isLlama() {
		return nil
	}
	var details []llm.Detail
	for _, name := range e.ExtraNames() {
		if typ, msg := extra.Fault(name, jsonx.Value(e.Extra[name]), m.Info.Context); typ != "" {
			details = append(details, llm.Detail{Type: typ, Msg: msg, Loc: []any{"body", name}})
		}
	}
	if len(details) == 0 {
		return nil
	}
	return llm.Faulty(details...)
}

// Models returns the one record of the model.
func (m *Model) Models(context.Context) ([]llm.ModelInfo, error) {
	return []llm.ModelInfo{m.Info}, nil
}

// use waits for a slot and a running child, and lets f talk to it. f reports whether the caller has
// been told anything: until then, it is asked again of the next child when this one was dying.
func (m *Model) use(ctx context.Context, caller llm.Caller, f func(*upstream.Client) (told bool, err error)) error {
	defer m.pool.count(&m.child.asked)()
	leave, err := m.child.queue.enter(ctx, caller.Name, m.Queue, m.Wait, func() bool { return m.child.State().State != process.Ready })
	if err != nil {
		return err
	}
	defer leave()
	told, err := m.attempt(ctx, f)
	if _, died := errors.AsType[*process.Exited](err); died && !told && ctx.Err() == nil {
		if _, starting := errors.AsType[*process.StartError](err); !starting {
			_, err = m.attempt(ctx, f)
		}
	}
	return m.explain(ctx, err)
}

func (m *Model) attempt(ctx context.Context, f func(*upstream.Client) (bool, error)) (told bool, err error) {
	lease, release, err := m.pool.lease(ctx, m.child)
	if err != nil {
		return false, err
	}
	defer release()
	told, err = f(&upstream.Client{
		HTTP: &http.Client{Transport: lease.Transport(m.pool.transport)}, Base: lease.URL + "/v1", Codec: m.codec,
		First: m.First, Silence: m.Silence,
	})
	if e, ok := errors.AsType[*llm.Error](err); ok && e.Kind == llm.Timeout && ctx.Err() == nil {
		lease.EndSilent(cmp.Or(min(m.First, m.Silence), m.First, m.Silence)) // it would hang for the next one, too
	}
	return told, withoutPlaces(err)
}

// explain says what happened to a child in the words of the contract. The process logs what names the machine.
func (m *Model) explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	name := "Model '" + m.Info.Deployment + "'"
	if e, ok := errors.AsType[*process.StartError](err); ok {
		return &llm.Error{Kind: llm.Unavailable, Message: name + " could not be started: " + e.Error() + ".", RetryAfter: e.RetryAfter, Err: err}
	}
	if e, ok := errors.AsType[*process.Exited](err); ok {
		return &llm.Error{Kind: llm.Upstream, Message: name + " failed: " + e.Error() + ". It is started again by the next request.", Err: err}
	}
	if e, ok := errors.AsType[*process.Silent](err); ok {
		return &llm.Error{Kind: llm.Timeout, Message: name + " was ended: " + e.Error() + ".", Err: err}
	}
	if errors.Is(err, process.ErrStopped) || errors.Is(err, process.ErrClosed) {
		return &llm.Error{Kind: llm.Unavailable, Message: name + " is being stopped.", RetryAfter: time.Second, Err: err}
	}
	return err
}

// Chat streams from the child, also for callers who do not: only a streamed answer stops when its reader leaves.
func (m *Model) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	if err := m.admit(llm.OpChat, &r.Envelope); err != nil {
		return llm.Fail(err)
	}
	return func(yield func(*llm.Reply, error) bool) {
		ms := r.Messages
		if m.sees() || media.In(ms) {
			var err error // before there is a slot to wait for: others need not wait for images
			if ms, err = media.Inline(ctx, ms, m.Pictures.For(r.Caller.Name), m.sees()); err != nil {
				yield(nil, err)
				return
			}
		}
		m.chat(ctx, m.prepare(r, ms))(yield)
	}
}

func (m *Model) chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	n := choices(r.N)
	return m.answer(ctx, r.Caller, n, n, r.MaxTokens, func(c *upstream.Client, k int) llm.Stream {
		if err := m.canContinue(ctx, c, r); err != nil {
			return llm.Fail(err)
		}
		grammar, err := m.grammar(ctx, c, r)
		if err != nil {
			return llm.Fail(err)
		}
		one := r.Edit()
		one.Grammar, one.N, one.Seed = grammar, nil, m.seedOf(r.Seed, k)
		return explained(c.Chat(ctx, one), func(err error) error { return media.Misplaced(err, m.Info.Deployment, r.Messages) })
	}, func(c *upstream.Client) (int, error) { return countChat(ctx, c, r) })
}

// prepare makes the request that the child gets, of messages that it may.
func (m *Model) prepare(r *llm.ChatRequest, ms []llm.Message) *llm.ChatRequest {
	out := r.Edit()
	m.envelope(&out.Envelope)
	m.sampling(&out.Sampling)
	out.UsageChunk = true
	if out.Logprobs && m.isLlama() && (out.TopLogprobs == nil || *out.TopLogprobs == 0) {
		out.TopLogprobs = new(1) // its server tells none without alternatives, and twenty where nothing is said
	}
	out.CompletionTokens = out.CompletionTokens && !m.isLlama() // either name of the limit means the same
	out.Messages = make([]llm.Message, 0, len(ms)+1)
	hasSystem := false
	for _, msg := range ms {
		if msg.Role == llm.Developer && m.isLlama() {
			msg.Role = llm.System // templates know no developer
		}
		hasSystem = hasSystem || msg.Role == llm.System
		out.Messages = append(out.Messages, msg)
	}
	if m.isLlama() && continues(r.Messages) {
		out.Messages[len(out.Messages)-1].Prefix = false
		out.Extra.Keep("continue_final_message", []byte("true"))
		out.Extra.Keep("add_generation_prompt", []byte("false"))
	}
	if m.System != "" && !hasSystem {
		system := llm.Message{Role: llm.System, Parts: []llm.Part{llm.NewText(m.System)}}
		out.Messages = append([]llm.Message{system}, out.Messages...)
	}
	return out
}

func (m *Model) isLlama() bool { return m.Spec.Engine.Kind != process.Command }

func (m *Model) envelope(e *llm.Envelope) {
	e.Stream, e.Model = true, m.RemoteName
	if m.isLlama() {
		e.Model = ""
		e.Extra = maps.Clone(e.Extra)
		e.Extra.Keep("timings_per_token", []byte("true"))
		e.Extra.Keep("return_progress", []byte("true")) // else a hang-up is noticed only when the prompt is done
		if v, ok := e.Extra["repetition_penalty"]; ok {
			delete(e.Extra, "repetition_penalty")
			e.Extra.Keep("repeat_penalty", v)
		}
	}
}

// sampling fills in what the model's makers recommend for who chooses nothing: half a choice of the
// caller's beside half of theirs would be neither. Clients that cannot say a temperature of 0 say the smallest there is,
// by which llama.cpp's server divides until nothing is left to choose by.
func (m *Model) sampling(s *llm.Sampling) {
	const smallest = 1e-6
	if s.Temperature != nil && *s.Temperature < smallest && m.isLlama() {
		s.Temperature = new(0.0)
	}
	if s.Temperature == nil && s.TopP == nil {
		s.Temperature, s.TopP = m.Temperature, m.TopP
	}
}

func choices(n *int) int {
	if n == nil {
		return 1
	}
	return *n
}

// seedOf gives each choice a seed of its own, or they would all be the same. llama.cpp's are 32 bits
// wide, and the one with all bits set would be a random one.
func (m *Model) seedOf(seed *int64, k int) *int64 {
	if seed == nil {
		return nil
	}
	s := *seed + int64(k)
	if m.isLlama() {
		s = int64(uint64(s) % math.MaxUint32)
	}
	return &s
}

// Complete streams each prompt and choice by a call of its own: the child counts only one of a batch.
func (m *Model) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	if err := m.admit(llm.OpComplete, &r.Envelope); err != nil {
		return llm.Fail(err)
	}
	n := choices(r.N)
	return m.answer(ctx, r.Caller, n*len(r.Prompts), n, r.MaxTokens, func(c *upstream.Client, k int) llm.Stream {
		one := r.Edit()
		m.envelope(&one.Envelope)
		m.sampling(&one.Sampling)
		one.UsageChunk, one.N = true, nil
		if one.Logprobs != nil && *one.Logprobs == 0 && m.isLlama() {
			one.Logprobs = new(1)
		}
		one.Prompts = []llm.Input{m.prompt(r.Prompts[k/n])}
		one.Seed = m.seedOf(r.Seed, k%n)
		return explained(c.Complete(ctx, one), func(err error) error { return placed(err, "prompt", one.Prompts) })
	}, func(c *upstream.Client) (int, error) {
		total := 0
		for _, p := range r.Prompts {
			count, err := countInput(ctx, c, m.prompt(p))
			if err != nil {
				return 0, err
			}
			total += count
		}
		return total, nil
	})
}

// prompt is what the child is to complete: there is nothing to predict from no token at all.
func (m *Model) prompt(in llm.Input) llm.Input {
	t, ok := in.(llm.Text)
	switch {
	case ok && t.Empty() && m.Empty != "":
		return llm.NewText(m.Empty)
	case ok && m.sees():
		return media.PlainText(t)
	}
	return in
}

// explained passes the child's complaint through why.
func explained(s llm.Stream, why func(error) error) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		s(func(f *llm.Reply, err error) bool {
			if err != nil {
				err = why(err)
			}
			return yield(f, err)
		})
	}
}

// answer runs the calls of a request, n for each prompt, one after the other as one stream of
// choices. count is for max_tokens 0, which the child would answer with a token.
func (m *Model) answer(ctx context.Context, caller llm.Caller, calls, n int, maxTokens *int, call func(*upstream.Client, int) llm.Stream, count func(*upstream.Client) (int, error)) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		told := false
		tell := func(r *llm.Reply, err error) bool {
			told = true
			return yield(r, err)
		}
		err := m.use(ctx, caller, func(c *upstream.Client) (bool, error) {
			if maxTokens != nil && *maxTokens == 0 && m.isLlama() {
				prompt, err := count(c)
				if err == nil {
					tell(m.nothing(calls, prompt), nil)
				}
				return told, err
			}
			err := m.relay(c, calls, n, call, tell)
			return told, err
		})
		if err != nil && !errors.Is(err, errLeft) {
			yield(nil, err)
		}
	}
}

// errLeft says that whoever ranged over the stream has left.
var errLeft = errors.New("the reader left")

func (m *Model) nothing(calls, prompt int) *llm.Reply {
	r := &llm.Reply{Model: m.Info.Model, Usage: &llm.Usage{Prompt: prompt}}
	for i := range calls {
		r.Choices = append(r.Choices, llm.Choice{Index: i, Finish: llm.FinishLength})
	}
	return r
}

// relay yields the fragments of each call under its own index, and the usage of all on the last, in
// which a prompt counts once for all its choices.
func (m *Model) relay(c *upstream.Client, calls, n int, call func(*upstream.Client, int) llm.Stream, yield func(*llm.Reply, error) bool) error {
	var total llm.Usage
	counted := false
	for k := range calls {
		for f, err := range call(c, k) {
			if err != nil {
				return err
			}
			m.normalise(f, k)
			for _, u := range []*llm.Usage{f.Spent, f.Usage} {
				if u != nil && k%n > 0 {
					u.Prompt, u.Cached = 0, 0
				}
			}
			if f.Spent != nil {
				f.Spent = new(total.Add(*f.Spent))
			}
			if f.Usage != nil {
				total, counted = total.Add(*f.Usage), true
				f.Usage = nil
			}
			if (f.Begins() || f.Spent == nil) && !yield(f, nil) { // progress of the prompt is not passed on
				return errLeft
			}
		}
	}
	if counted && !yield(&llm.Reply{Model: m.Info.Model, Usage: &total}, nil) {
		return errLeft
	}
	return nil
}

// normalise hides what is the child's own: its ids, its name for the model (a path), its timings.
func (m *Model) normalise(f *llm.Reply, index int) {
	f.Spent = spent(f.Extra["timings"])
	f.ID, f.Model, f.Created, f.Extra, f.Source = "", m.Info.Model, time.Time{}, nil, llm.Source{}
	for i := range f.Choices {
		f.Choices[i].Index = index
		f.Choices[i].Extra = nil
	}
}
