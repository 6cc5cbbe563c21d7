package encode

import (
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// writeSampling writes the members that chat and text completions share.
func writeSampling(w *jsonx.Writer, s *llm.Sampling, completionTokens bool) {
	if completionTokens {
		writeCount(w, "max_completion_tokens", s.MaxTokens)
	} else {
		writeCount(w, "max_tokens", s.MaxTokens)
	}
	writeFloat(w, "temperature", s.Temperature)
	writeFloat(w, "top_p", s.TopP)
	writeFloat(w, "frequency_penalty", s.FrequencyPenalty)
	writeFloat(w, "presence_penalty", s.PresencePenalty)
	if s.Seed != nil {
		w.Int("seed", *s.Seed)
	}
	if s.Stop != nil {
		w.Member("stop")
		w.BeginArray()
		for _, stop := range s.Stop {
			w.Bytes = jsonx.AppendString(w.Next(), stop)
		}
		w.EndArray()
	}
}

func writeUsageChunk(w *jsonx.Writer, asked bool) {
	if asked {
		w.Raw("stream_options", []byte(`{"include_usage":true}`))
	}
}

// writeName writes a string that is not given where it is empty.
func writeName(w *jsonx.Writer, name, v string) {
	if v != "" {
		w.Str(name, v)
	}
}

func writeOptional(w *jsonx.Writer, name string, t *llm.Text) {
	if t != nil {
		message.WriteText(w, name, *t)
	}
}

// writeTrue writes a flag that is not given where it is false.
func writeTrue(w *jsonx.Writer, name string, v bool) {
	if v {
		w.Bool(name, true)
	}
}

func writeBool(w *jsonx.Writer, name string, v *bool) {
	if v != nil {
		w.Bool(name, *v)
	}
}

func writeFloat(w *jsonx.Writer, name string, v *float64) {
	if v != nil {
		w.Float(name, *v)
	}
}

func writeCount(w *jsonx.Writer, name string, v *int) {
	if v != nil {
		w.Int(name, int64(*v))
	}
}
