package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/engine/media"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/upstream"
	"github.com/ingot-llm/ingot/internal/wire/openai"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
)

// llama is the family's codec with llama.cpp's own errors.
type llama struct{ openai.Codec }

// DecodeError names a prompt that is too long with both numbers.
func (l llama) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := l.Codec.DecodeError(status, h, body)
	v, err := jsonx.Parse(body)
	if err != nil {
		v = nil
	}
	detail := v.Get("error")
	prompt, errPrompt := detail.Get("n_prompt_tokens").Int()
	context, errContext := detail.Get("n_ctx").Int()
	if errPrompt == nil && errContext == nil {
		return tooLong(prompt, context)
	}
	return e
}

// withoutPlaces keeps from the caller what a server says of this machine's files.
func withoutPlaces(err error) error {
	e, ok := errors.AsType[*llm.Error](err)
	if !ok || !strings.ContainsAny(e.Message, `/\`) {
		return err
	}
	hidden := *e
	hidden.Err = fmt.Errorf("model server: %s", e.Message)
	hidden.Message = "The model's server refused the request."
	return &hidden
}

func tooLong(prompt, context int64) *llm.Error {
	return &llm.Error{Kind: llm.TooLong, Param: "messages", Message: fmt.Sprintf(
		"This model's maximum context length is %d tokens, but the prompt has %d tokens. Please reduce the length of the prompt.", context, prompt)}
}

// spent reads the running count that comes with every token.
func spent(timings []byte) *llm.Usage {
	v := jsonx.Value(timings)
	if v.Kind() != jsonx.Object {
		return nil
	}
	n := func(name string) int {
		i, _ := v.Get(name).Int()
		return int(i)
	}
	cached := n("cache_n")
	return &llm.Usage{Prompt: cached + n("prompt_n"), Completion: n("predicted_n"), Cached: cached}
}

// countChat counts the tokens of a chat's prompt as the child would see it.
func countChat(ctx context.Context, c *upstream.Client, r *llm.ChatRequest) (int, error) {
	if media.In(r.Messages) {
		return countShown(ctx, c, r)
	}
	root := strings.TrimSuffix(c.Base, "/v1")
	body, err := c.Post(ctx, root+"/apply-template", encode.AppendChat(nil, r))
	if err != nil {
		return 0, err
	}
	v, err := jsonx.Parse(body)
	if err != nil {
		return 0, fmt.Errorf("read the templated prompt: %w", err)
	}
	return countText(ctx, c, v.Get("prompt"))
}

func countInput(ctx context.Context, c *upstream.Client, in llm.Input) (int, error) {
	switch in := in.(type) {
	case llm.Tokens:
		return len(in), nil
	case llm.Text:
		return countText(ctx, c, in.AppendJSON(nil))
	case llm.Picture:
		if in.Text != nil {
			return countText(ctx, c, in.Text.AppendJSON(nil))
		}
	}
	return 0, nil
}

func countText(ctx context.Context, c *upstream.Client, quoted []byte) (int, error) {
	root := strings.TrimSuffix(c.Base, "/v1")
	body := append(append([]byte(`{"add_special":true,"parse_special":true,"content":`), quoted...), '}')
	body, err := c.Post(ctx, root+"/tokenize", body)
	if err != nil {
		return 0, err
	}
	v, err := jsonx.Parse(body)
	if err != nil {
		return 0, fmt.Errorf("read the tokens: %w", err)
	}
	n := 0
	for range v.Get("tokens").Elements() {
		n++
	}
	return n, nil
}

// Embed returns one vector per item, of the model's own prefixes and length.
func (m *Model) Embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	if err := m.admit(r.Operation(), &r.Envelope); err != nil {
		return nil, err
	}
	if err := m.judgeDimensions(r.Dimensions); err != nil {
		return nil, err
	}
	reply, err := m.embed(ctx, r)
	if err != nil {
		return nil, err
	}
	if r.Dimensions != nil && m.isLlama() {
		for i := range reply.Vectors {
			reply.Vectors[i] = cut(reply.Vectors[i], *r.Dimensions)
		}
	}
	return reply, nil
}

func (m *Model) embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	if r.Operation() == llm.OpEmbedImages {
		return m.embedImages(ctx, r)
	}
	one := r.Edit()
	m.envelope(&one.Envelope)
	one.Extra, one.InputType, one.Dimensions = r.Extra, "", nil
	if !m.isLlama() {
		one.InputType, one.Dimensions = r.InputType, r.Dimensions
	}
	items := m.dressed(r)
	var reply *llm.EmbedReply
	err := m.use(ctx, r.Caller, func(c *upstream.Client) (bool, error) {
		reply = &llm.EmbedReply{Model: m.Info.Model}
		if err := m.judgeLength(ctx, c, items); err != nil {
			return false, err
		}
		for part := range slices.Chunk(items, m.embedAtOnce(len(items))) {
			one.Items = part
			if err := embedPart(ctx, c, one, reply); err != nil {
				return false, err
			}
		}
		return false, nil
	})
	return reply, err
}

// embedAtOnce is how many items go into one call. Between calls it shows that the child is not hung,
// however many items there are.
func (m *Model) embedAtOnce(n int) int {
	if m.isLlama() {
		return 16
	}
	return max(1, n)
}

// embedPart appends the vectors of r to reply.
func embedPart(ctx context.Context, c *upstream.Client, r *llm.EmbedRequest, reply *llm.EmbedReply) error {
	got, err := c.Embed(ctx, r)
	if err != nil {
		return placed(err, "input", r.Items)
	}
	reply.Vectors = append(reply.Vectors, got.Vectors...)
	if got.Usage != nil {
		spend(reply, *got.Usage)
	}
	return nil
}

// spend adds to what a reply took.
func spend(reply *llm.EmbedReply, u llm.Usage) {
	if reply.Usage == nil {
		reply.Usage = &llm.Usage{}
	}
	*reply.Usage = reply.Usage.Add(u)
}

// placed tells which member a server complains of: one that is too long, or token ids, which it alone knows.
func placed(err error, member string, inputs []llm.Input) error {
	e, ok := errors.AsType[*llm.Error](err)
	if ok && e.Kind == llm.TooLong {
		named := *e
		named.Param = member
		return &named
	}
	if !ok || e.Kind != llm.Invalid || len(e.Details) > 0 || !slices.ContainsFunc(inputs, func(in llm.Input) bool { _, ids := in.(llm.Tokens); return ids }) {
		return err
	}
	named := *e
	named.Param = member
	told := strings.TrimSuffix(e.Message, ".")
	if strings.HasSuffix(told, "invalid tokens") {
		told += ": token ids are of the model's own vocabulary, which is not that of OpenAI's; send the text"
	}
	named.Message = told + "."
	named.Details = []llm.Detail{{Type: "value_error", Loc: []any{"body", member}, Msg: told}}
	return &named
}

// judgeDimensions allows another length only where the model was trained for it.
func (m *Model) judgeDimensions(want *int) error {
	if want == nil || !m.isLlama() || *want == m.Info.Dimensions {
		return nil
	}
	input := fmt.Appendf(nil, "%d", *want)
	at := []any{"body", "dimensions"}
	switch {
	case !m.Settings.Embedding.Matryoshka:
		return llm.Faulty(llm.Detail{Type: "value_error", Loc: at, Input: input, Msg: fmt.Sprintf("This model gives %d dimensions and was not trained for fewer", m.Info.Dimensions)})
	case *want > m.Info.Dimensions:
		return llm.Faulty(llm.Detail{Type: "less_than_equal", Loc: at, Input: input, Msg: fmt.Sprintf("Input should be less than or equal to %d", m.Info.Dimensions)})
	}
	return nil
}

// prefix is what begins an input of a type.
func (m *Model) prefix(t llm.InputType) string {
	switch t {
	case llm.InputQuery:
		return m.Settings.Embedding.QueryPrefix
	case llm.InputDocument:
		return m.Settings.Embedding.DocumentPrefix
	case llm.InputText, "":
	}
	return m.Settings.Embedding.TextPrefix
}

// dressed are the items as the model was trained to see them.
func (m *Model) dressed(r *llm.EmbedRequest) []llm.Input {
	prefix, suffix := m.prefix(r.InputType), m.Settings.Embedding.Suffix
	if prefix == "" && suffix == "" && !m.sees() {
		return r.Items
	}
	items := make([]llm.Input, len(r.Items))
	for i, in := range r.Items {
		items[i] = in
		if t, ok := in.(llm.Text); ok {
			said := t.String()
			if m.sees() {
				said = media.Plain(said)
			}
			items[i] = llm.NewText(prefix + said + suffix)
		}
	}
	return items
}

// judgeLength refuses an input that the encoder would cut. A text has no more tokens than bytes, so most need no count.
func (m *Model) judgeLength(ctx context.Context, c *upstream.Client, items []llm.Input) error {
	most := m.Settings.Embedding.MaxTokens
	if most == 0 || !m.isLlama() {
		return nil
	}
	const special = 2 // the tokens around an input
	for i, in := range items {
		if t, ok := in.(llm.Text); ok && t.Size()+special <= most {
			continue
		}
		n, err := countInput(ctx, c, in)
		if err != nil {
			return err
		}
		if n > most {
			return overlong(i, n, most)
		}
	}
	return nil
}

func overlong(i, tokens, most int) error {
	e := tooLong(int64(tokens), int64(most))
	e.Param = "input"
	e.Message = fmt.Sprintf("input[%d]: %s", i, e.Message)
	return e
}

// cut keeps the first n dimensions and makes the length 1 again.
func cut(v []float32, n int) []float32 {
	if n >= len(v) {
		return v
	}
	v = v[:n]
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return v
	}
	norm := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= norm
	}
	return v
}
