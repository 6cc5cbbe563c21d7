package provider

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// The scopes of tokens (doc/protocol.md §10.1).
const (
	foundryScope   = "https://ai.azure.com/.default"
	cognitiveScope = "https://cognitiveservices.azure.com/.default"
	learningScope  = "https://ml.azure.com/.default"
)

// The versions that a surface is called with where none is configured (doc/protocol.md §1.3).
const (
	inferenceVersion   = "2024-05-01-preview"
	deploymentsVersion = "2024-10-21"
	// thoughtsVersion is from which on Model Inference tells a model's thoughts from its answer (doc/protocol.md §3.7).
	thoughtsVersion = "2025-04-01"
	// usageVersion is from which on Azure OpenAI's deployments know stream_options (doc/protocol.md §8.5.2).
	usageVersion = "2024-12-01"
)

// The surfaces of Azure (doc/protocol.md §1.1).
const (
	surfaceDeployments = "deployments"
	surfaceV1          = "v1"
	surfaceModels      = "models"
	surfaceServerless  = "serverless"
	surfaceManaged     = "managed"
)

// azure reaches one of Azure's surfaces.
func azure(c Config) (llm.Backend, error) {
	u, version, err := endpoint(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", c.Name, err)
	}
	if c.APIVersion == "" {
		c.APIVersion = version
	}
	if c.Surface == "" {
		if c.Surface = surfaceOf(u, c.APIVersion != ""); c.Surface == "" {
			return nil, fmt.Errorf("provider %s: its endpoint does not tell what it is; set surface to deployments, v1, models, serverless or managed", c.Name)
		}
	}
	p := place{
		model: c.name(), keyHeader: "Api-Key", scope: cognitiveScope,
		features: llm.Features{Set: ^llm.Feature(0), Any: true}, // models differ, and say themselves what they do not take
	}
	openAIs := func(contract llm.Wire) {
		p.contract, p.features.Set, p.cannot = contract, ^noOpenAI, []llm.Operation{llm.OpEmbedImages}
	}
	switch c.Surface {
	case surfaceDeployments:
		openAIs(llm.WireAzure)
		version = cmp.Or(c.APIVersion, deploymentsVersion)
		p.askUsage = version >= usageVersion
		p.base = deploymentOf(u, c.name())
	case surfaceV1:
		openAIs(llm.WireOpenAI)
		p.askUsage, p.scope, version = true, foundryScope, c.APIVersion
		p.base = below(u, "/openai/v1", "/v1")
	case surfaceModels:
		p.contract, version = llm.WireInference, cmp.Or(c.APIVersion, inferenceVersion)
		p.base = below(u, "/models", "/inference")
	case surfaceServerless, surfaceManaged:
		p.contract, version = llm.WireInference, cmp.Or(c.APIVersion, inferenceVersion)
		p.base, p.keyHeader, p.scope, p.model = u.String(), "Authorization", learningScope, c.Model
		if c.Surface == surfaceManaged && c.Model != "" {
			p.header = http.Header{"Azureml-Model-Deployment": {c.Model}}
		}
	default:
		return nil, fmt.Errorf("provider %s: unknown surface %q", c.Name, c.Surface)
	}
	if version != "" {
		p.query = "?api-version=" + url.QueryEscape(version)
	}
	return c.remote(p)
}

// surfaceOf tells the surface by the path of an address, else by its host; empty: by neither.
func surfaceOf(u *url.URL, versioned bool) string {
	path := strings.TrimRight(u.Path, "/")
	switch {
	case strings.Contains(path, "/openai/deployments"):
		return surfaceDeployments
	case strings.HasSuffix(path, "/v1"):
		return surfaceV1
	case strings.HasSuffix(path, "/models") || strings.HasSuffix(path, "/inference"):
		return surfaceModels
	case strings.Contains(path, "/deployments/"):
		return surfaceServerless
	}
	host := u.Hostname()
	under := func(domain string) bool { return strings.HasSuffix(host, domain) }
	switch {
	case under(".services.ai.azure.com"):
		return surfaceModels
	case under(".openai.azure.com") || under(".cognitiveservices.azure.com"):
		if versioned {
			return surfaceDeployments
		}
		return surfaceV1
	case under(".models.ai.azure.com") || under(".inference.ai.azure.com"):
		return surfaceServerless
	case under(".inference.ml.azure.com"):
		return surfaceManaged
	}
	return ""
}

// deploymentOf is the base of a deployment's operations: the one that the address names, or the model's.
func deploymentOf(u *url.URL, model string) string {
	base := u.String()
	root, named, found := strings.Cut(base, "/openai/deployments")
	if found && strings.Trim(named, "/") != "" {
		return base
	}
	if !found {
		root = strings.TrimSuffix(base, "/openai")
	}
	return root + "/openai/deployments/" + url.PathEscape(model)
}

// below is the address with a path after it, unless it ends so, or as other does, already.
func below(u *url.URL, path, other string) string {
	base := u.String()
	if strings.HasSuffix(base, path) || strings.HasSuffix(base, other) {
		return base
	}
	return strings.TrimSuffix(base, "/openai") + path
}
