package route

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Aliases are names of models that are not here, under which a deployment that is here may be asked. None of them hides a
// deployment, and no list shows them. The zero Aliases is none.
type Aliases struct {
	Own          map[string]string // names to deployments
	GitHubModels bool              // the names of the models that GitHub Models had (doc/protocol.md §8.4), to the defaults
}

// The names that GitHub Models had, in lower case and without publisher, by what their models did.
var (
	gitHubEmbeds = []string{"*embedding*", "cohere-embed*", "embed-v*"}
	gitHubChats  = []string{
		"gpt-3*", "gpt-4*", "gpt-5*", "gpt-oss*", "chatgpt-*", "o1", "o1-*", "o3", "o3-*", "o4-*",
		"phi-*", "mai-ds-*", "mistral*", "ministral*", "mixtral*", "codestral*", "llama*", "meta-llama*",
		"cohere-command*", "command-*", "deepseek*", "ai21*", "jamba*", "grok*", "jais*",
	}
)

// Resolve finds the deployment that is asked by a name for an operation: the one that has it, as Lookup does, or else the one
// that the name is an alias of. An alias is read in any case, with its publisher or without.
func (t *Table) Resolve(name string, op llm.Operation) (llm.ModelInfo, bool) {
	if m, ok := t.Lookup(name); ok {
		return m, true
	}
	const longest = 256 // bytes of an alias; names come from outside
	if len(name) > longest {
		return llm.ModelInfo{}, false
	}
	for _, name := range []string{strings.ToLower(name), unpublished(name)} {
		if m, ok := t.Lookup(t.own[name]); ok {
			return m, true
		}
	}
	name = unpublished(name)
	if m, ok := t.Lookup(name); ok { // the same model, as GitHub Models named it
		return m, true
	}
	if !t.gitHub {
		return llm.ModelInfo{}, false
	}
	switch {
	case matches(gitHubEmbeds, name):
		return t.defaultOf(op, llm.OpEmbed, llm.OpEmbedImages)
	case matches(gitHubChats, name):
		return t.defaultOf(op, llm.OpChat, llm.OpComplete)
	}
	return llm.ModelInfo{}, false
}

// unpublished is a name in lower case without the publisher that may stand before it.
func unpublished(name string) string {
	name = strings.ToLower(name)
	if publisher, model, ok := strings.Cut(name, "/"); ok && publisher != "" {
		return model
	}
	return name
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, name); ok { // whose only error is a bad pattern
			return true
		}
	}
	return false
}

// defaultOf is the default of the operation that is asked for, if it is one of those that the model of the name did; else
// that of the first of these, to say what it does not do.
func (t *Table) defaultOf(op llm.Operation, did ...llm.Operation) (llm.ModelInfo, bool) {
	for _, o := range did {
		if o == op {
			if m, ok := t.Default(op); ok {
				return m, true
			}
		}
	}
	for _, o := range did {
		if m, ok := t.Default(o); ok {
			return m, true
		}
	}
	return llm.ModelInfo{}, false
}

// fold prepares the operator's own aliases for Resolve: each as it is written, and without its publisher unless another
// is written so.
func (a Aliases) fold() map[string]string {
	own := make(map[string]string, 2*len(a.Own))
	names := slices.Sorted(maps.Keys(a.Own))
	for _, name := range names {
		own[strings.ToLower(name)] = a.Own[name]
	}
	for _, name := range names {
		if short := unpublished(name); own[short] == "" {
			own[short] = a.Own[name]
		}
	}
	return own
}
