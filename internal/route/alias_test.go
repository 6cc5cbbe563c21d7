package route_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/route"
)

func TestAnAliasFindsWhoStandsIn(t *testing.T) {
	t.Parallel()
	info := func(name string, ops ...llm.Operation) route.Deployment {
		return route.Deployment{Targets: []route.Target{{Info: llm.ModelInfo{Deployment: name, Operations: ops}}}}
	}
	all := []route.Deployment{
		info("base", llm.OpComplete), info("small", llm.OpChat), info("Phi-4", llm.OpChat), info("minilm", llm.OpEmbed), info("clip", llm.OpEmbedImages),
	}
	texts, chats := all[:4], all[1:3]
	gitHub := route.Aliases{GitHubModels: true}
	own := route.Aliases{Own: map[string]string{
		"Fast": "small", "openai/gpt-4o": "Phi-4", "minilm": "small", "lost": "nowhere", "a/twin": "small", "b/twin": "Phi-4", "gpt-5": "SMALL",
	}}
	both := route.Aliases{Own: own.Own, GitHubModels: true}
	for _, c := range []struct {
		name    string
		asked   string
		op      llm.Operation
		models  []route.Deployment
		aliases route.Aliases
		want    string
	}{
		{"a deployment is itself", "phi-4", llm.OpChat, all, both, "Phi-4"},
		{"an alias hides no deployment", "minilm", llm.OpEmbed, all, own, "minilm"},
		{"no alias unless it is asked for", "gpt-4o", llm.OpChat, all, route.Aliases{}, "none"},
		{"a chat model of that time", "gpt-4o", llm.OpChat, all, gitHub, "small"},
		{"with its publisher", "openai/gpt-4o", llm.OpChat, all, gitHub, "small"},
		{"in another case", "Mistral-AI/MISTRAL-Large", llm.OpChat, all, gitHub, "small"},
		{"a chat model's name completes text", "Phi-3.5-MoE-instruct", llm.OpComplete, all, gitHub, "base"},
		{"where nothing completes, the chat model says so", "gpt-4o", llm.OpComplete, chats, gitHub, "small"},
		{"an embedding model", "text-embedding-3-small", llm.OpEmbed, all, gitHub, "minilm"},
		{"with publisher, too", "openai/text-embedding-3-large", llm.OpEmbed, all, gitHub, "minilm"},
		{"of another family", "cohere-embed-v3-english", llm.OpEmbed, all, gitHub, "minilm"},
		{"of images, where images come", "Cohere/cohere-embed-v3-multilingual", llm.OpEmbedImages, all, gitHub, "clip"},
		{"where no images can come, the text model says so", "cohere-embed-v3-english", llm.OpEmbedImages, texts, gitHub, "minilm"},
		{"an embedding name does not chat", "text-embedding-3-small", llm.OpChat, all, gitHub, "minilm"},
		{"a chat name does not embed", "gpt-4o", llm.OpEmbed, all, gitHub, "small"},
		{"nobody could stand in", "text-embedding-3-small", llm.OpEmbed, chats, gitHub, "none"},
		{"a publisher before a deployment", "microsoft/phi-4", llm.OpChat, all, gitHub, "Phi-4"},
		{"a publisher before a deployment, without aliases", "microsoft/phi-4", llm.OpChat, all, route.Aliases{}, "Phi-4"},
		{"a name that was never there", "my-model", llm.OpChat, all, gitHub, "none"},
		{"a model that made pictures", "gpt-image-1", llm.OpChat, all, gitHub, "none"},
		{"a name that only begins so", "o1x", llm.OpChat, all, gitHub, "none"},
		{"two publishers", "a/openai/gpt-4o", llm.OpChat, all, gitHub, "none"},
		{"a publisher alone", "openai/", llm.OpChat, all, gitHub, "none"},
		{"a name without end", "gpt-4" + strings.Repeat("o", 1<<20), llm.OpChat, all, both, "none"},
		{"no name", "", llm.OpChat, all, both, "none"},
		{"the operator's own", "fast", llm.OpChat, all, own, "small"},
		{"the operator's own with a publisher", "x/FAST", llm.OpChat, all, own, "small"},
		{"written with a publisher, asked without", "GPT-4o", llm.OpChat, all, own, "Phi-4"},
		{"to a deployment in any case", "gpt-5", llm.OpChat, all, own, "small"},
		{"to nothing", "lost", llm.OpChat, all, own, "none"},
		{"of two publishers the named one", "b/twin", llm.OpChat, all, own, "Phi-4"},
		{"of two publishers the first", "twin", llm.OpChat, all, own, "small"},
		{"the operator's own come first", "openai/gpt-4o", llm.OpChat, all, both, "Phi-4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, ok := route.New(c.models, "", c.aliases).Resolve(c.asked, c.op)
			if !ok {
				m.Deployment = "none"
			}
			if m.Deployment != c.want {
				t.Errorf("%q is %s, want %s", c.asked, m.Deployment, c.want)
			}
		})
	}
}

func TestTheNamesOfGitHubModelsAreKnown(t *testing.T) {
	t.Parallel()
	names := []string{"chat", "vectors"}
	rt := route.New([]route.Deployment{
		{Targets: []route.Target{{Info: llm.ModelInfo{Deployment: names[0], Operations: []llm.Operation{llm.OpChat}}}}},
		{Targets: []route.Target{{Info: llm.ModelInfo{Deployment: names[1], Operations: []llm.Operation{llm.OpEmbed}}}}},
	}, "", route.Aliases{GitHubModels: true})
	for _, name := range []string{
		"openai/gpt-4o-mini", "openai/gpt-4o", "openai/gpt-4.1", "openai/gpt-5", "openai/o1-preview", "gpt-4o-mini", "gpt-4o", "gpt-5.1",
		"mistral-ai/mistral-small-2503", "mistral-ai/mistral-large", "Mistral-large", "mistral-large-2407", "Phi-4", "Phi-3.5-MoE-instruct",
		"Phi-3-mini-4k-instruct", "o1", "openai/o3-mini", "openai/o4-mini", "meta/Llama-3.3-70B-Instruct", "Meta-Llama-3.1-8B-Instruct",
		"cohere/cohere-command-r-plus-08-2024", "Cohere-command-r", "deepseek/DeepSeek-R1", "DeepSeek-V3-0324", "AI21-Jamba-1.5-Large",
		"xai/grok-3-mini", "microsoft/MAI-DS-R1", "mistral-ai/Codestral-2501", "Ministral-3B", "core42/jais-30b-chat",
	} {
		if m, ok := rt.Resolve(name, llm.OpChat); !ok || m.Deployment != "chat" {
			t.Errorf("%s is %q", name, m.Deployment)
		}
	}
	for _, name := range []string{
		"text-embedding-3-small", "text-embedding-3-large", "openai/text-embedding-3-small", "cohere-embed-v3-english",
		"cohere/Cohere-embed-v3-multilingual", "text-embedding-ada-002", "embed-v-4-0",
	} {
		if m, ok := rt.Resolve(name, llm.OpEmbed); !ok || m.Deployment != "vectors" {
			t.Errorf("%s is %q", name, m.Deployment)
		}
	}
	var listed []string
	for _, m := range rt.List() {
		listed = append(listed, m.Deployment)
	}
	if d := cmp.Diff(names, listed); d != "" {
		t.Errorf("aliases are listed: %s", d)
	}
}
