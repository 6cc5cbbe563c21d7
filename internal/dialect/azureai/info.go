package azureai

import (
	"net/http"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// info answers GET /info (doc/protocol.md §6.2): of the deployment that is named, else of the
// default for chat, else of the first.
func (d *door) info(w http.ResponseWriter, r *http.Request, p place, model string) error {
	info, err := d.resolve(w, r, p, llm.OpChat, model)
	if err != nil {
		all := d.Models.List()
		if llm.AsError(err).Kind != llm.NoModel || len(all) == 0 {
			return err
		}
		info = all[0]
	}
	b := append([]byte(`{"model_name":`), jsonx.AppendString(nil, info.Model)...)
	b = append(b, `,"model_type":"`+d.modelType(info)+`","model_provider_name":`...)
	b = jsonx.AppendString(b, info.Publisher)
	dialect.MetaHeaders(w.Header(), llm.Meta{Deployment: info.Deployment, Provider: info.Provider})
	d.JSON(w, http.StatusOK, append(b, '}'))
	return nil
}

func (d *door) modelType(info llm.ModelInfo) string {
	does := info.Does
	switch {
	case does(llm.OpChat) && d.ServiceSpelling:
		return "chat-completion"
	case does(llm.OpChat):
		return "chat_completion"
	case d.ServiceSpelling && (does(llm.OpEmbed) || does(llm.OpEmbedImages)):
		return "embedding"
	case does(llm.OpEmbedImages): // also of texts: the client for images is the one that would not be thought of
		return "image_embeddings"
	case does(llm.OpEmbed):
		return "embeddings"
	case d.ServiceSpelling:
		return "text-generation"
	}
	return "text_generation"
}
