package encode

import (
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// AppendComplete appends the request as JSON; one prompt stands alone, several in a list.
func AppendComplete(dst []byte, r *llm.CompleteRequest) []byte {
	w := &jsonx.Writer{Bytes: dst}
	w.BeginObject()
	writeName(w, "model", r.Model)
	writeInputs(w, "prompt", r.Prompts)
	writeTrue(w, "stream", r.Stream)
	writeUsageChunk(w, r.UsageChunk)
	writeSampling(w, &r.Sampling, false)
	writeCount(w, "n", r.N)
	writeCount(w, "best_of", r.BestOf)
	writeTrue(w, "echo", r.Echo)
	if r.Suffix != nil {
		w.Str("suffix", *r.Suffix)
	}
	writeCount(w, "logprobs", r.Logprobs)
	w.Raw("logit_bias", r.LogitBias)
	writeName(w, "user", r.User)
	message.WriteExtra(w, r.Extra)
	w.EndObject()
	return w.Bytes
}

// AppendEmbed appends the request as JSON, without encoding_format: floats are asked for.
func AppendEmbed(dst []byte, r *llm.EmbedRequest) []byte {
	w := &jsonx.Writer{Bytes: dst}
	w.BeginObject()
	writeName(w, "model", r.Model)
	writeInputs(w, "input", r.Items)
	writeCount(w, "dimensions", r.Dimensions)
	writeName(w, "input_type", string(r.InputType))
	writeName(w, "user", r.User)
	message.WriteExtra(w, r.Extra)
	w.EndObject()
	return w.Bytes
}

func writeInputs(w *jsonx.Writer, name string, in []llm.Input) {
	w.Member(name)
	one := len(in) == 1
	if one {
		_, pictured := in[0].(llm.Picture)
		one = !pictured
	}
	if !one {
		w.BeginArray()
	}
	for _, x := range in {
		switch x := x.(type) {
		case llm.Text:
			w.Bytes = x.AppendJSON(w.Next())
		case llm.Tokens:
			w.BeginArray()
			for _, id := range x {
				w.Bytes = strconv.AppendInt(w.Next(), int64(id), 10)
			}
			w.EndArray()
		case llm.Picture:
			w.BeginObject()
			w.Member("image")
			w.Bytes = x.Image.URL.AppendJSON(w.Next())
			if x.Text != nil {
				w.Member("text")
				w.Bytes = x.Text.AppendJSON(w.Next())
			}
			w.EndObject()
		}
	}
	if !one {
		w.EndArray()
	}
}
