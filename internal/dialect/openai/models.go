package openai

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// models answers GET …/models and …/models/{id} (doc/protocol.md §§8.5.2, 9.1); an id is a deployment's name.
func (q *question) models(w http.ResponseWriter) error {
	b := &jsonx.Writer{}
	if len(q.rest) > 0 {
		name := strings.Join(q.rest, "/")
		info, ok := q.Models.Lookup(name)
		if !ok {
			return q.unknown(name)
		}
		q.writeModel(b, &info)
		dialect.MetaHeaders(w.Header(), llm.Meta{Deployment: info.Deployment, Provider: info.Provider})
		q.JSON(w, http.StatusOK, b.Bytes)
		return nil
	}
	b.BeginObject()
	b.Str("object", "list")
	b.Member("data")
	b.BeginArray()
	for _, info := range q.Models.List() {
		q.writeModel(b, &info)
	}
	b.EndArray()
	b.EndObject()
	q.JSON(w, http.StatusOK, b.Bytes)
	return nil
}

func (q *question) writeModel(w *jsonx.Writer, m *llm.ModelInfo) {
	var created int64
	if !m.Created.IsZero() {
		created = m.Created.Unix()
	}
	w.BeginObject()
	w.Str("id", m.Deployment)
	w.Str("object", "model")
	if q.wire == llm.WireOpenAI {
		w.Int("created", created)
		w.Str("owned_by", m.Publisher)
		w.EndObject()
		return
	}
	w.Int("created_at", created)
	w.Str("model", m.Model)
	w.Str("status", "succeeded")
	w.Str("lifecycle_status", "generally-available")
	w.Member("capabilities")
	w.BeginObject()
	w.Bool("inference", true)
	w.Bool("fine_tune", false)
	w.Bool("chat_completion", m.Does(llm.OpChat))
	w.Bool("completion", m.Does(llm.OpComplete))
	w.Bool("embeddings", m.Does(llm.OpEmbed))
	w.EndObject()
	w.EndObject()
}
