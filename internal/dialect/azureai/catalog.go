package azureai

import (
	"net/http"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// catalog answers GET /catalog/models as GitHub Models did (doc/protocol.md §8.4).
func (d *door) catalog(w http.ResponseWriter, r *http.Request) error {
	out := &jsonx.Writer{}
	out.BeginArray()
	for _, m := range d.Models.List() {
		writeEntry(out, &m)
	}
	out.EndArray()
	return d.Answer(w, r, out.Bytes)
}

func writeEntry(w *jsonx.Writer, m *llm.ModelInfo) {
	generates := m.Does(llm.OpChat) || m.Does(llm.OpComplete)
	embeds := m.Does(llm.OpEmbed) || m.Does(llm.OpEmbedImages)
	w.BeginObject()
	w.Str("id", m.Deployment)
	w.Str("name", m.Model)
	w.Str("publisher", m.Publisher)
	w.Str("registry", m.Provider)
	w.Str("summary", m.Summary)
	w.Str("html_url", "")
	w.Str("version", "")
	writeNames(w, "capabilities", word{"streaming", generates}, word{"tool-calling", generates && m.Features.Has(llm.FeatureTools)})
	w.Member("limits")
	w.BeginObject()
	writeLimit(w, "max_input_tokens", m.Context)
	if generates {
		writeLimit(w, "max_output_tokens", m.Context)
	} else {
		w.Null("max_output_tokens")
	}
	w.EndObject()
	w.Str("rate_limit_tier", "custom")
	writeNames(w, "supported_input_modalities",
		word{"text", generates || m.Does(llm.OpEmbed) || m.Features.Has(llm.FeaturePairs)},
		word{"image", generates && m.Features.Has(llm.FeatureImages) || m.Does(llm.OpEmbedImages)},
		word{"audio", generates && m.Features.Has(llm.FeatureAudio)})
	writeNames(w, "supported_output_modalities",
		word{"text", generates}, word{"audio", generates && m.Features.Has(llm.FeatureAudioOutput)}, word{"embeddings", embeds})
	writeNames(w, "tags", word{m.Licence, m.Licence != ""})
	w.EndObject()
}

// word is one of a list, if it holds.
type word struct {
	text  string
	holds bool
}

func writeNames(w *jsonx.Writer, member string, words ...word) {
	w.Member(member)
	w.BeginArray()
	for _, n := range words {
		if n.holds {
			w.Bytes = jsonx.AppendString(w.Next(), n.text)
		}
	}
	w.EndArray()
}

// writeLimit writes a number of tokens, null where it is unknown.
func writeLimit(w *jsonx.Writer, member string, tokens int) {
	if tokens > 0 {
		w.Int(member, int64(tokens))
		return
	}
	w.Null(member)
}
