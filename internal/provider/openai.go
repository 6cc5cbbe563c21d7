package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

const (
	// noOpenAI is what OpenAI's own contract has no words for.
	noOpenAI = llm.FeatureInputType | llm.FeaturePrefix | llm.FeaturePairs
	// noSpeech is what servers of open models do not make.
	noSpeech = noOpenAI | llm.FeatureAudioOutput
)

// flavours are the servers with OpenAI's shape by name, and what each is known not to understand: it is refused by name, or
// left out where the caller allowed it.
var flavours = map[string]llm.Feature{
	"openai":       noOpenAI,
	"vllm":         noSpeech | llm.FeatureSuffix,
	"ray-serve":    noSpeech | llm.FeatureSuffix,
	"kserve":       noSpeech | llm.FeatureSuffix,
	"sglang":       noSpeech | llm.FeatureSuffix | llm.FeatureBestOf,
	"tgi":          noSpeech | llm.FeatureN | llm.FeatureLogitBias | llm.FeatureParallelTools | llm.FeatureEffort | llm.FeatureAudio | llm.FeatureEcho | llm.FeatureBestOf | llm.FeatureTokens,
	"llama-server": noSpeech | llm.FeatureN | llm.FeatureSuffix | llm.FeatureEcho | llm.FeatureBestOf | llm.FeatureEffort,
	"ollama":       noSpeech | llm.FeatureN | llm.FeatureLogitBias | llm.FeatureParallelTools | llm.FeatureAudio | llm.FeatureEcho | llm.FeatureBestOf | llm.FeatureTokens,
	"lm-studio":    noSpeech | llm.FeatureN | llm.FeatureLogprobs | llm.FeatureParallelTools | llm.FeatureAudio | llm.FeatureEcho | llm.FeatureBestOf | llm.FeatureTokens,
	"ingot":        0, // it says so itself
}

// Flavours lists the servers by name.
func Flavours() []string { return slices.Sorted(maps.Keys(flavours)) }

// Lacks returns what a server of that flavour is known not to understand.
func Lacks(name string) (llm.Feature, bool) {
	lacks, ok := flavours[name]
	return lacks, ok
}

// openAI reaches OpenAI, or a server with its shape: the endpoint is what its clients take as base URL.
func openAI(c Config) (llm.Backend, error) {
	if c.Endpoint == "" {
		c.Endpoint = "https://api.openai.com/v1"
	}
	if c.Flavour == "" {
		c.Flavour = "openai"
	}
	lacks, ok := Lacks(c.Flavour)
	if !ok {
		return nil, fmt.Errorf("provider %s: unknown flavour %q", c.Name, c.Flavour)
	}
	u, _, err := endpoint(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", c.Name, err)
	}
	if u.Path == "" {
		u.Path = "/v1"
	}
	p := place{
		base: u.String(), model: c.name(), keyHeader: "Authorization", scope: foundryScope,
		contract: llm.WireOpenAI, askUsage: true,
		features: llm.Features{Set: ^lacks, Any: true},
		cannot:   []llm.Operation{llm.OpEmbedImages},
	}
	if root, ok := strings.CutSuffix(p.base, "/v1"); ok && c.Flavour == "ingot" {
		// In the version that tells thoughts from the answer: the door knows where its caller wants them.
		p.inference = strings.TrimSuffix(root, "/openai") + "/models?api-version=" + thoughtsVersion
		p.cannot = nil
	}
	return c.remote(p)
}
