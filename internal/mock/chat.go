package mock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/schema"
)

// thought is what Reasoning thinks before it answers.
const thought = "The answer is what was said."

// Chat answers as the package comment says.
func (m *Model) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		fault := m.fault()
		err := fault.refusal()
		var s *script
		if err == nil {
			s, err = m.chat(ctx, r)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		m.play(ctx, s, fault, yield)
	}
}

// chat works out the answer to a chat request.
func (m *Model) chat(ctx context.Context, r *llm.ChatRequest) (*script, error) {
	if err := m.does(llm.OpChat); err != nil {
		return nil, err
	}
	texts, images, err := said(r.Messages)
	if err != nil {
		return nil, err
	}
	looked, err := m.look(ctx, r.Caller.Name, images)
	if err != nil {
		return nil, err
	}
	s := &script{model: m.options.Name, whole: !r.Stream, probs: r.Logprobs, prompt: perMessage*len(r.Messages) + looked}
	if r.TopLogprobs != nil {
		const most = 20
		if s.top = *r.TopLogprobs; s.top > most {
			return nil, atMost(most, "top_logprobs")
		}
	}
	for _, text := range texts {
		s.prompt += countTokens(text)
	}
	if err := screen(texts, s.prompt, "messages"); err != nil {
		return nil, err
	}
	n, err := choices(r.N)
	if err != nil {
		return nil, err
	}
	list, finish, err := m.answer(r, s.prompt)
	if err != nil {
		return nil, err
	}
	s.extra = annotation(texts)
	return s, s.add(list, finish, n)
}

// said lists the texts and the images of a conversation, past reasoning left
// out, and refuses other parts.
func said(messages []llm.Message) (texts []string, images []llm.Image, err error) {
	var add func([]llm.Part) error
	add = func(parts []llm.Part) error {
		for _, p := range parts {
			switch p := p.(type) {
			case llm.Text:
				texts = append(texts, p.String())
			case llm.Refusal:
				texts = append(texts, p.Text.String())
			case llm.ToolCall:
				texts = append(texts, p.Name, p.Arguments.String())
			case llm.ToolResult:
				if err := add(p.Content); err != nil {
					return err
				}
			case llm.Reasoning:
			case llm.Image:
				images = append(images, p)
			case llm.Audio:
				return unsupported("The mock model reads text and images only, not audio.", p.Loc)
			case llm.Opaque:
				return unsupported("The mock model reads text and images only, not parts of type "+p.Type+".", p.Loc)
			}
		}
		return nil
	}
	for _, message := range messages {
		if err := add(message.Parts); err != nil {
			return nil, nil, err
		}
	}
	return texts, images, nil
}

// answer works out one choice, for a prompt of so many tokens; all choices are alike.
func (m *Model) answer(r *llm.ChatRequest, prompt int) ([]step, llm.Finish, error) {
	limit := m.limitOf(r.MaxTokens, prompt)
	var list []step
	at := int32(0)
	if m.options.Behaviour == Reasoning {
		thoughts := Tokens(thought)
		list = stepsOf(thoughts[:min(len(thoughts), limit)], at, thoughtPart)
		if limit < len(thoughts) {
			return list, llm.FinishLength, nil
		}
		limit -= len(thoughts)
		at++
	}
	tool, err := m.called(r)
	if err != nil {
		return nil, "", err
	}
	if tool >= 0 {
		call, finish, err := m.call(r, tool, at, limit)
		return append(list, call...), finish, err
	}
	tokens, err := m.content(r, limit)
	if err != nil {
		return nil, "", err
	}
	tokens, finish := cut(tokens, limit, r.Stop)
	return append(list, stepsOf(tokens, at, textPart)...), finish, nil
}

// content is the text of the answer, before its limits.
func (m *Model) content(r *llm.ChatRequest, limit int) ([]string, error) {
	if r.Format != nil {
		switch r.Format.Type {
		case llm.FormatJSON:
			return Tokens("{}"), nil
		case llm.FormatSchema:
			text, err := smallest(r.Format.Schema, false, "response_format", "json_schema", "schema")
			return Tokens(text), err
		case llm.FormatText:
		}
	}
	if m.options.Behaviour == Count {
		return numbers(limit + 1), nil
	}
	text := lastUser(r.Messages)
	if last := len(r.Messages) - 1; last >= 0 && r.Messages[last].Role == llm.Assistant && r.Messages[last].Prefix {
		text = strings.TrimPrefix(text, textOf(r.Messages[last].Parts))
	}
	return Tokens(text), nil
}

// lastUser is the text of the last user message, empty where there is none.
func lastUser(messages []llm.Message) string {
	for _, message := range slices.Backward(messages) {
		if message.Role == llm.User {
			return textOf(message.Parts)
		}
	}
	return ""
}

// textOf joins the texts among parts.
func textOf(parts []llm.Part) string {
	var text []byte
	for _, p := range parts {
		if t, ok := p.(llm.Text); ok {
			text = t.AppendTo(text)
		}
	}
	return string(text)
}

// called picks the tool to call, -1 for none.
func (m *Model) called(r *llm.ChatRequest) (int, error) {
	mode := llm.ToolAuto
	if r.ToolChoice != nil {
		mode = r.ToolChoice.Mode
	}
	switch mode {
	case llm.ToolNamed:
		i := slices.IndexFunc(r.Tools, func(t llm.Tool) bool { return t.Name == r.ToolChoice.Name })
		if i < 0 {
			return 0, invalid("value_error", fmt.Sprintf("tools has no function named %q", r.ToolChoice.Name), "tool_choice")
		}
		return i, nil
	case llm.ToolRequired:
		if len(r.Tools) == 0 {
			return 0, invalid("value_error", "required needs tools", "tool_choice")
		}
		return 0, nil
	case llm.ToolAuto:
		answered := len(r.Messages) > 0 && r.Messages[len(r.Messages)-1].Role == llm.ToolRole
		if m.options.ToolChoiceAuto && len(r.Tools) > 0 && !answered {
			return 0, nil
		}
	case llm.ToolNone:
	}
	return -1, nil
}

// call works out a tool call: its head, then its arguments token by token.
func (m *Model) call(r *llm.ChatRequest, tool int, at int32, limit int) ([]step, llm.Finish, error) {
	t := r.Tools[tool]
	text, err := smallest(t.Parameters, true, "tools", tool, "function", "parameters")
	if err != nil {
		return nil, "", err
	}
	if limit == 0 {
		return nil, llm.FinishLength, nil
	}
	id := sha256.Sum256([]byte(t.Name + "\x00" + text + "\x00" + lastUser(r.Messages)))
	head := llm.ToolCall{ID: "call_" + hex.EncodeToString(id[:12]), Name: t.Name}
	list := []step{{part: func(string) llm.Part { return head }, at: at, tokens: 1}}
	tokens, finish := cut(Tokens(text), limit-1, nil)
	list = append(list, stepsOf(tokens, at, argumentPart)...)
	if finish == llm.FinishStop {
		finish = llm.FinishToolCalls
	}
	return list, finish, nil
}

// smallest is the smallest instance of a schema, as an object where it must be
// one; no schema at all allows no arguments.
func smallest(raw []byte, object bool, loc ...any) (string, error) {
	if len(raw) == 0 {
		return "{}", nil
	}
	refuse := func(err error) error {
		return unsupported("The mock model cannot make an instance of this schema: "+err.Error()+".", append([]any{"body"}, loc...))
	}
	s, err := schema.Parse(raw)
	if err != nil {
		return "", refuse(err)
	}
	if object && s.Validate([]byte("{}")) == nil {
		return "{}", nil
	}
	instance, err := s.Smallest()
	if err != nil {
		return "", refuse(err)
	}
	if object && instance[0] != '{' {
		return "", refuse(fmt.Errorf("arguments must be an object, and it allows %.40s", instance))
	}
	return string(instance), nil
}
