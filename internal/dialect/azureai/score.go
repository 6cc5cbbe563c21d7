package azureai

import (
	"maps"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// score answers POST /score, a chat in the form of managed endpoints (doc/protocol.md §8.2).
func (d *door) score(c call) error {
	body, err := scored(c.body)
	if err != nil {
		return err
	}
	req, err := request.DecodeChat(body, request.Contract{Wire: llm.WireInference, Admit: func(string) request.Admission { return request.Take }})
	if err != nil {
		return unscored(err)
	}
	info, err := d.resolve(c.w, c.r, c.place, llm.OpChat, "")
	if err != nil {
		return err
	}
	req.Model, req.Caller = info.Deployment, c.caller
	answer, err := d.asked(c.place).Backend.Chat(c.r.Context(), req).Collect()
	if err != nil {
		return unscored(err)
	}
	var text []byte
	for _, choice := range answer.Choices {
		for _, part := range choice.Parts {
			switch p := part.(type) {
			case llm.Text:
				text = p.AppendTo(text)
			case llm.Refusal:
				text = p.Text.AppendTo(text)
			case llm.Reasoning, llm.Image, llm.Audio, llm.ToolCall, llm.ToolResult, llm.Opaque:
			}
		}
	}
	out := &jsonx.Writer{}
	out.BeginObject()
	out.Str("output", string(text))
	out.EndObject()
	dialect.MetaHeaders(c.w.Header(), answer.Meta)
	return d.Answer(c.w, c.r, out.Bytes)
}

// scoreParameters are the parameters of a score, and the members of a chat that they are.
var scoreParameters = map[string]string{
	"max_new_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "stop": "stop", "seed": "seed",
	"frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}

// scored rewrites the body of a score as that of a chat.
func scored(body []byte) ([]byte, error) {
	root, err := jsonx.Parse(body)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Malformed, Message: "The request body is not valid JSON: " + err.Error() + "."}
	}
	var s score
	s.out.BeginObject()
	if outer := s.members(root, nil, "input_data"); outer != nil {
		if inner := s.members(outer["input_data"], []any{"input_data"}, "input_string", "parameters"); inner != nil {
			s.messages(inner["input_string"])
			s.parameters(inner["parameters"])
		}
	}
	s.out.EndObject()
	if len(s.details) > 0 {
		return nil, llm.Faulty(s.details...)
	}
	return s.out.Bytes, nil
}

// score is a chat being made of a score, and what is wrong with that.
type score struct {
	out     jsonx.Writer
	details []llm.Detail
}

func (s *score) fail(typ, msg string, loc ...any) {
	const most = 16
	if len(s.details) < most {
		s.details = append(s.details, llm.Detail{Type: typ, Msg: msg, Loc: append([]any{"body"}, loc...)})
	}
}

// members reads the members of an object at loc, which may be these; nil where it is none.
func (s *score) members(v jsonx.Value, loc []any, known ...string) map[string]jsonx.Value {
	switch v.Kind() {
	case jsonx.Absent:
		s.fail("missing", "Field required", loc...)
		return nil
	case jsonx.Object:
	default:
		s.fail("dict_type", "Input should be a valid dictionary", loc...)
		return nil
	}
	found := map[string]jsonx.Value{}
	for name, m := range v.Members() {
		if slices.Contains(known, name) {
			found[strings.Clone(name)] = m
		} else {
			s.fail("extra_forbidden", "Extra inputs are not permitted", append(slices.Clip(loc), strings.Clone(name))...)
		}
	}
	return found
}

// messages takes messages as they are, and one text as a user's.
func (s *score) messages(v jsonx.Value) {
	switch first := firstOf(v); {
	case v.Kind() == jsonx.Absent:
		s.fail("missing", "Field required", "input_data", "input_string")
	case first.Kind() == jsonx.Object:
		s.out.Raw("messages", v)
	case first.Kind() == jsonx.String && only(v):
		s.out.Member("messages")
		s.out.BeginArray()
		s.out.BeginObject()
		s.out.Str("role", "user")
		s.out.Raw("content", first)
		s.out.EndObject()
		s.out.EndArray()
	default:
		s.fail("list_type", "Input should be a list of messages, or of one text", "input_data", "input_string")
	}
}

func firstOf(v jsonx.Value) jsonx.Value {
	for _, e := range v.Elements() {
		return e
	}
	return nil
}

func only(v jsonx.Value) bool {
	n := 0
	for range v.Elements() {
		n++
	}
	return n == 1
}

func (s *score) parameters(v jsonx.Value) {
	if v.Null() {
		return
	}
	names := slices.Sorted(maps.Keys(scoreParameters))
	found := s.members(v, []any{"input_data", "parameters"}, append(names, "do_sample", "return_full_text")...)
	greedy := s.flag(found, "do_sample", false)
	if s.flag(found, "return_full_text", true) {
		s.fail("value_error", "The prompt is not given back: input should be false", "input_data", "parameters", "return_full_text")
	}
	for _, name := range names {
		if p, ok := found[name]; ok && (name != "temperature" || !greedy) {
			s.out.Raw(scoreParameters[name], p)
		}
	}
	if greedy {
		s.out.Int("temperature", 0)
	}
}

// flag reports whether a parameter is there and is what.
func (s *score) flag(found map[string]jsonx.Value, name string, what bool) bool {
	v := found[name]
	if v.Null() {
		return false
	}
	b, err := v.Bool()
	if err != nil {
		s.fail("bool_type", "Input should be a valid boolean", "input_data", "parameters", name)
		return false
	}
	return b == what
}

// unscored tells of the faults of a chat in the places of the score that it was made of.
func unscored(err error) error {
	e := *llm.AsError(err)
	e.Details = slices.Clone(e.Details)
	for i := range e.Details {
		d := &e.Details[i]
		if len(d.Loc) < 2 || d.Loc[0] != "body" {
			continue
		}
		at := []any{"body", "input_data", "parameters", d.Loc[1]}
		for name, member := range scoreParameters {
			if d.Loc[1] == member {
				at[3] = name
			}
		}
		if d.Loc[1] == "messages" {
			at = []any{"body", "input_data", "input_string"}
		}
		d.Loc = append(at, d.Loc[2:]...)
	}
	if e.Param != "" {
		e.Param = "input_data"
	}
	return &e
}
