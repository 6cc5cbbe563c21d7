package clienttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/client"
)

// The members that all answers of chat models have.
func frame(object string, choice map[string]any) map[string]any {
	choice["index"] = 0
	return map[string]any{"id": "answer-of-clienttest", "object": object, "created": 1763880000, "model": "model-of-clienttest", "choices": []any{choice}}
}

var usage = map[string]any{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}

// Chat answers a chat with a text, in fragments of a few letters where a stream is asked for.
func Chat(text string) Answer { return message(map[string]any{}, text, "stop") }

// Reasoning answers a chat with a thought and a text.
func Reasoning(thought, text string) Answer {
	return message(map[string]any{"reasoning_content": thought}, text, "stop")
}

// ChatFinish answers a chat with a text that ends for another reason, such as client.FinishLength.
func ChatFinish(text string, reason client.FinishReason) Answer {
	return message(map[string]any{}, text, string(reason))
}

// Call answers a chat with the wish to call a function; arguments is JSON.
func Call(name, arguments string) Answer { return Calls(name, arguments) }

// Calls answers a chat with the wish to call functions: names and arguments in turns.
func Calls(namesAndArguments ...string) Answer {
	var calls []any
	for i := 0; i+1 < len(namesAndArguments); i += 2 {
		calls = append(calls, map[string]any{
			"index": i / 2, "id": fmt.Sprintf("call-%d-%s", i/2, namesAndArguments[i]), "type": "function",
			"function": map[string]any{"name": namesAndArguments[i], "arguments": namesAndArguments[i+1]},
		})
	}
	return message(map[string]any{"tool_calls": calls}, "", "tool_calls")
}

// message answers as the request asks, whole or in fragments: first what is not text, then the text, then the end.
func message(rest map[string]any, text, finish string) Answer {
	return func(r Request) (*http.Response, error) {
		if !asksForStream(r) {
			m := map[string]any{"role": "assistant", "content": text}
			maps.Copy(m, rest)
			whole := frame("chat.completion", map[string]any{"message": m, "finish_reason": finish})
			whole["usage"] = usage
			return JSON(http.StatusOK, whole)(r)
		}
		first := map[string]any{"role": "assistant", "content": ""}
		maps.Copy(first, rest)
		chunk := func(delta map[string]any, finish any) map[string]any {
			return frame("chat.completion.chunk", map[string]any{"delta": delta, "finish_reason": finish})
		}
		events := []any{chunk(first, nil)}
		for _, piece := range pieces(text) {
			events = append(events, chunk(map[string]any{"content": piece}, nil))
		}
		last := chunk(map[string]any{}, finish)
		last["usage"] = usage
		return Stream(append(events, last, "[DONE]")...)(r)
	}
}

// Complete answers a request for the continuation of a text, in fragments where a stream is asked for.
func Complete(text string) Answer {
	return func(r Request) (*http.Response, error) {
		piece := func(text string, finish any) map[string]any {
			return frame("text_completion", map[string]any{"text": text, "finish_reason": finish})
		}
		last := piece("", "stop")
		if !asksForStream(r) {
			last = piece(text, "stop")
		}
		last["usage"] = usage
		if !asksForStream(r) {
			return JSON(http.StatusOK, last)(r)
		}
		var events []any
		for _, p := range pieces(text) {
			events = append(events, piece(p, nil))
		}
		return Stream(append(events, last, "[DONE]")...)(r)
	}
}

// Embeddings answers with embeddings, one for each input; a vector is a list of numbers, or the text of an encoding.
func Embeddings(vectors ...any) Answer {
	data := make([]any, len(vectors))
	for i, v := range vectors {
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": v}
	}
	return JSON(http.StatusOK, map[string]any{
		"id": "answer-of-clienttest", "object": "list", "model": "model-of-clienttest", "data": data,
		"usage": map[string]any{"prompt_tokens": 10, "total_tokens": 10},
	})
}

// Info answers which model there is.
func Info(name, kind, provider string) Answer {
	return JSON(http.StatusOK, map[string]any{"model_name": name, "model_type": kind, "model_provider_name": provider})
}

// Stream answers with events: a string as it is, such as [DONE], anything else encoded.
func Stream(events ...any) Answer {
	return func(Request) (*http.Response, error) {
		text, err := join(events)
		if err != nil {
			return nil, err
		}
		return response(http.StatusOK, "text/event-stream", strings.NewReader(text)), nil
	}
}

// ErrBroken is how a connection breaks off.
var ErrBroken = errors.New("clienttest: the connection broke off")

// Break answers as another answer does, but the connection breaks off after some of its events, or of its bytes where it is whole.
func Break(answer Answer, after int) Answer {
	return func(r Request) (*http.Response, error) {
		resp, err := answer(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		kept := string(body[:min(after, len(body))])
		if resp.Header.Get("Content-Type") == "text/event-stream" {
			events := strings.SplitAfter(string(body), "\n\n")
			kept = strings.Join(events[:min(after, len(events))], "")
		}
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(kept), broken{}))
		return resp, nil
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.Join(ErrBroken, io.ErrUnexpectedEOF) }

func join(events []any) (string, error) {
	var b strings.Builder
	for _, e := range events {
		text, ok := e.(string)
		if !ok {
			data, err := json.Marshal(e)
			if err != nil {
				return "", err
			}
			text = string(data)
		}
		b.WriteString("data: " + text + "\n\n")
	}
	return b.String(), nil
}

func asksForStream(r Request) bool {
	var body struct{ Stream bool }
	return r.Decode(&body) == nil && body.Stream
}

// pieces divides a text as models do, never within a letter.
func pieces(text string) []string {
	const size = 4
	var parts []string
	for len(text) > size {
		at := size
		for at < len(text) && !utf8.RuneStart(text[at]) {
			at++
		}
		parts, text = append(parts, text[:at]), text[at:]
	}
	if text != "" {
		parts = append(parts, text)
	}
	return parts
}
