package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ingot-llm/ingot/client/internal/object"
)

// Info says which model answers at the endpoint.
type Info struct {
	ModelName         string `json:"model_name"`
	ModelType         string `json:"model_type"` // chat_completion, embeddings, image_embeddings, text_generation; services spell them in several ways
	ModelProviderName string `json:"model_provider_name"`

	Extra Extra `json:"-"`
	Meta  `json:"-"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Info) UnmarshalJSON(data []byte) error {
	type plain Info
	return object.Decode(data, (*plain)(i), &i.Extra)
}

// Info asks for the model behind a deployment; an empty name asks for the endpoint's own.
func (c *Client) Info(ctx context.Context, deployment string) (*Info, error) {
	call := call{name: "info", method: http.MethodGet, route: "info", model: deployment, query: url.Values{}}
	if deployment != "" {
		call.query.Set("model", deployment)
	}
	info := new(Info)
	if err := c.unary(ctx, call, info); err != nil {
		return nil, fmt.Errorf("get model info: %w", err)
	}
	return info, nil
}

func (i *Info) accept(op *Operation, meta Meta) error {
	i.Meta = meta
	op.learn("", i.ModelName, nil, meta)
	if i.ModelName == "" {
		return errors.New("the reply names no model; is this a Model Inference endpoint?")
	}
	return nil
}
