package azureai

import (
	"net/http"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

// resolve finds the deployment (doc/protocol.md §8.6): by path, header azureml-model-deployment, body,
// header x-ms-model-mesh-model-name, and default, in this order. At the root an unknown name in the body is ignored. A managed
// endpoint's traffic takes the place of the default, and its answers say who was picked.
func (d *door) resolve(w http.ResponseWriter, r *http.Request, p place, op llm.Operation, model string) (llm.ModelInfo, error) {
	info, err := d.named(r, p, op, model)
	if p.flavour != managed || err != nil {
		return info, err
	}
	w.Header().Set("Azureml-Model-Deployment", dialect.HeaderSafe(info.Deployment))
	w.Header().Set("Azureml-Model-Group", dialect.HeaderSafe(d.Endpoint.Name))
	return info, err
}

func (d *door) named(r *http.Request, p place, op llm.Operation, model string) (llm.ModelInfo, error) {
	for _, name := range []string{p.deployment, r.Header.Get("Azureml-Model-Deployment")} {
		if name == "" {
			continue
		}
		if info, ok := d.Models.Resolve(name, op); ok {
			return info, nil
		}
		advice := " " + d.Deployments()
		if p.deployment != "" && p.doubled != "" {
			advice = p.hint()
		}
		return llm.ModelInfo{}, &llm.Error{
			Kind:    llm.NoDeployment,
			Message: "The API deployment '" + dialect.Clip(name) + "' for this resource does not exist." + advice,
		}
	}
	for _, name := range []string{model, r.Header.Get("X-Ms-Model-Mesh-Model-Name")} {
		if name == "" {
			continue
		}
		if info, ok := d.find(p, op, name); ok {
			return info, nil
		}
		if p.flavour == foundry || p.flavour == gitHub {
			return llm.ModelInfo{}, &llm.Error{Kind: llm.UnknownModel, Param: "model", Message: "Unknown model: " + dialect.Clip(name) + ". " + d.Deployments()}
		}
	}
	return d.unnamed(r, p, op)
}

// find reads the name in a body. At a managed endpoint an alias is none of its deployments, and its traffic decides.
func (d *door) find(p place, op llm.Operation, name string) (llm.ModelInfo, bool) {
	if p.flavour == managed {
		return d.Models.Lookup(name)
	}
	return d.Models.Resolve(name, op)
}

// unnamed is the deployment of a request that names none.
func (d *door) unnamed(r *http.Request, p place, op llm.Operation) (llm.ModelInfo, error) {
	if p.flavour == managed {
		info, picked, err := d.draw.pick(d.Models, op, r.Header.Get("X-Ms-Client-Request-Id"))
		if picked || err != nil {
			return info, err
		}
	}
	if info, ok := d.Models.Default(op); ok {
		return info, nil
	}
	why := "Please provide a model name in the request body or as a x-ms-model-mesh-model-name header. " + d.Deployments()
	if len(d.Models.List()) > 0 {
		why += " None of them does " + op.Title() + "."
	}
	return llm.ModelInfo{}, &llm.Error{Kind: llm.NoModel, Message: "No model specified in request. " + why}
}
