package chat

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

func schemaFormat() check.M {
	return check.M{
		"messages":   check.L{check.User("Describe a small red apple as JSON.")},
		"max_tokens": enough,
		"response_format": check.M{"type": "json_schema", "json_schema": check.M{
			"name": "fruit", "strict": true,
			"schema": check.M{
				"type": "object", "additionalProperties": false, "required": check.L{"color", "ripe", "sizes"},
				"properties": check.M{
					"color": check.M{"type": "string", "enum": check.L{"red", "green"}},
					"ripe":  check.M{"type": "boolean"},
					"sizes": check.M{"type": "array", "minItems": 1, "maxItems": 2, "items": check.M{"type": "string", "enum": check.L{"S", "M", "L"}}},
				},
			},
		}},
	}
}

// fruit requires what the schema does. A text that max_tokens cut is not judged.
func fruit(t *check.T, finish check.Value, text string) {
	if finish.Raw() == "length" || !finish.Exists() {
		return
	}
	var got struct {
		Color *string
		Ripe  *bool
		Sizes []string
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&got)
	ok := err == nil && !d.More() && got.Color != nil && (*got.Color == "red" || *got.Color == "green") && got.Ripe != nil &&
		(len(got.Sizes) == 1 || len(got.Sizes) == 2)
	for _, s := range got.Sizes {
		ok = ok && (s == "S" || s == "M" || s == "L")
	}
	if !ok {
		t.Fault("the text does not satisfy the schema (%v): %q", err, text)
	}
}

func object(t *check.T, finish check.Value, text string) {
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); finish.Exists() && finish.Raw() != "length" && (err != nil || got == nil) {
		t.Fault("the text is no JSON object (%v): %q", err, text)
	}
}

func formats() []check.Check {
	anything := func() check.M {
		return check.M{
			"messages": check.L{check.User("Give the capital of France as JSON.")}, "max_tokens": enough,
			"response_format": check.M{"type": "json_object"},
		}
	}
	whole := func(m check.M, judge func(*check.T, check.Value, string)) func(t *check.T) {
		return func(t *check.T) {
			c := t.Chat(m).OK().At("choices", 0)
			judge(t, c.At("finish_reason"), c.At("message", "content").TextOrNull())
		}
	}
	streamed := func(m check.M, judge func(*check.T, check.Value, string)) func(t *check.T) {
		return func(t *check.T) {
			s := t.ChatStream(m)
			judge(t, s.Last().At("choices", 0, "finish_reason"), s.Text("content"))
		}
	}
	const broken = "Programs that parse the answer."
	return []check.Check{
		{
			Name: "format/text", Section: "3.4",
			Requires: "response_format of type text is the default.", Breaks: "Clients that write it.",
			Run: func(t *check.T) { t.Chat(check.M{"response_format": check.M{"type": "text"}}).OK() },
		},
		{
			Name: "format/json-object", Section: "3.4",
			Requires: "With json_object the text is a JSON object.", Breaks: broken, Run: whole(anything(), object),
		},
		{
			Name: "format/json-object-stream", Section: "3.4",
			Requires: "The same where it is streamed.", Breaks: broken, Run: streamed(anything(), object),
		},
		{
			Name: "format/no-word", Section: "3.4",
			Requires: "json_object does not demand the word json in the prompt.",
			Breaks:   "Programs for Model Inference; only Azure OpenAI demands it.",
			Run: func(t *check.T) {
				t.Chat(check.M{"response_format": check.M{"type": "json_object"}}).OK()
			},
		},
		{
			Name: "format/json-schema", Section: "3.4",
			Requires: "With json_schema the text satisfies the schema.", Breaks: broken, Run: whole(schemaFormat(), fruit),
		},
		{
			Name: "format/json-schema-stream", Section: "3.4",
			Requires: "The same where it is streamed.", Breaks: broken, Run: streamed(schemaFormat(), fruit),
		},
		{
			Name: "format/any-version", Section: "3.4",
			Requires: "json_schema is taken whatever the api-version.",
			Breaks:   "The SDKs, whose default version blocked it at several models: their commonest failure in the field.",
			Run: func(t *check.T) {
				for _, v := range []string{"2024-05-01-preview", "2024-08-01-preview", "2025-04-01"} {
					a := t.Chat(schemaFormat(), check.Version(v))
					a.OKOrRefused(http.StatusNotFound) // for a version that is not known
				}
			},
		},
	}
}

func thoughts() []check.Check {
	const field, older, newer = "reasoning_content", "2024-05-01-preview", "2025-04-01"
	asked := func(t *check.T) check.M {
		return check.M{"model": t.Reasoning, "max_tokens": 1024}
	}
	const lost = "Clients of reasoning models: the thinking is shown as the answer, or lost."
	inText := func(t *check.T, text string) {
		text = strings.TrimSpace(text)
		if !strings.HasPrefix(text, "<think>") || !strings.Contains(text, "</think>") {
			t.Fault("the text does not begin with <think>…</think>: %q", text)
		}
	}
	return []check.Check{
		{
			Name: "reasoning/content", Section: "3.7",
			Requires: "Before api-version 2025-04-01 thinking is in the content, within <think> and </think>.",
			Breaks:   lost,
			Run: func(t *check.T) {
				m := t.Chat(asked(t), check.Version(older)).OK().At("choices", 0, "message")
				if m.Exists() {
					inText(t, m.At("content").TextOrNull())
				}
			},
		},
		{
			Name: "reasoning/field", Section: "3.7",
			Requires: "From api-version 2025-04-01 on it is in reasoning_content, and not in the content.",
			Breaks:   lost,
			Run: func(t *check.T) {
				m := t.Chat(asked(t), check.Version(newer)).OK().At("choices", 0, "message")
				m.At(field).NonEmpty()
				if c := m.At("content"); strings.Contains(c.TextOrNull(), "<think>") {
					c.Fault("holds the thinking: %s", c)
				}
			},
		},
		{
			Name: "reasoning/stream-content", Section: "3.7",
			Requires: "Streamed before 2025-04-01 it is in delta.content.",
			Breaks:   lost,
			Run: func(t *check.T) {
				if s := t.ChatStream(asked(t), check.Version(older)); len(s.Chunks) > 0 {
					inText(t, s.Text("content"))
				}
			},
		},
		{
			Name: "reasoning/stream-field", Section: "3.7",
			Requires: "Streamed from 2025-04-01 on it is in delta.reasoning_content, and not in the content.",
			Breaks:   lost,
			Run: func(t *check.T) {
				s := t.ChatStream(asked(t), check.Version(newer))
				if len(s.Chunks) > 0 && s.Text(field) == "" {
					t.Fault("no delta has reasoning_content")
				}
				if strings.Contains(s.Text("content"), "<think>") {
					t.Fault("the content holds the thinking")
				}
			},
		},
		{
			Name: "reasoning/tokens", Section: "3.7", Should: true,
			Requires: "usage.completion_tokens_details.reasoning_tokens counts it, and completion_tokens includes it.",
			Breaks:   "Whoever pays by the token.",
			Run: func(t *check.T) {
				u := t.Chat(asked(t), check.Version(newer)).OK().At("usage")
				n, all := u.At("completion_tokens_details", "reasoning_tokens"), u.At("completion_tokens")
				if a, b := n.Int(), all.Int(); n.Exists() && all.Exists() && (a == 0 || a > b) {
					n.Fault("is %d of %d", a, b)
				}
			},
		},
	}
}
