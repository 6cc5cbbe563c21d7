package config

import (
	"cmp"
	_ "embed" // the example file
	"slices"

	"github.com/ingot-llm/ingot/internal/config/tagged"
)

// Default is what serves without a file: the default chat and embedding models
// on loopback.
func Default() *Config {
	c := &Config{}
	tagged.Fill(c)
	c.Aliases.Mode = "github-models"
	for _, name := range []string{"smollm2", "minilm"} {
		c.Models = append(c.Models, deployment(Model{Name: name, Local: name}))
	}
	return c
}

// DefaultMock is what serves with --mock: six mock models on loopback, no download
// and no engine.
func DefaultMock() *Config {
	c := &Config{}
	tagged.Fill(c)
	c.Aliases.Mode = "github-models"
	for _, d := range []struct {
		name string
		mock Mock
	}{
		{"mock", Mock{}},
		{"mock-long", Mock{Behaviour: "count", TokensPerSecond: 500, MaxTokens: 4096}},
		{"mock-cut", Mock{Fault: &Fault{Cut: 3}}},
		{"mock-reasoning", Mock{Behaviour: "reasoning"}},
		{"mock-embedding", Mock{Behaviour: "embedding"}},
		{"mock-image-embedding", Mock{Behaviour: "image-embedding"}},
	} {
		c.Models = append(c.Models, deployment(Model{Name: d.name, Provider: "mock", Mock: &d.mock}))
	}
	return c
}

// completeProviders adds OpenAI itself where a model names it and the file does not describe it.
func (c *Config) completeProviders(env func(string) (string, bool)) {
	named := slices.ContainsFunc(c.Models, func(m Model) bool {
		return m.Provider == "openai" || slices.ContainsFunc(m.Targets, func(t Model) bool { return t.Provider == "openai" })
	})
	if !named || c.Provider("openai") != nil {
		return
	}
	p := Provider{Name: "openai", Type: "openai"}
	tagged.Fill(&p)
	p.Key, _ = env("OPENAI_API_KEY")
	c.Providers = append(c.Providers, p)
}

// deployment is m with the defaults of whatever it leaves out.
func deployment(m Model) Model {
	tagged.Fill(&m)
	m.complete()
	return m
}

// complete sets the defaults that depend on other members.
func (m *Model) complete() {
	for i := range m.Targets {
		t := &m.Targets[i]
		t.Name, t.target = m.Name, true
		if t.Weight == nil {
			t.Weight = new(1)
		}
		t.complete()
	}
	if m.Command != "" {
		m.Ready = cmp.Or(m.Ready, "/health")
	}
	if m.Command != "" || m.Provider != "" && m.Provider != "mock" {
		m.Model, m.Kind = cmp.Or(m.Model, m.Name), cmp.Or(m.Kind, "chat")
	}
	if m.Provider != "mock" {
		return
	}
	if m.Mock == nil {
		m.Mock = &Mock{}
		tagged.Fill(m.Mock)
	}
	if m.Mock.Behaviour == "count" {
		m.Mock.MaxTokens = cmp.Or(m.Mock.MaxTokens, 4096)
	}
	m.Mock.Dimensions = cmp.Or(m.Mock.Dimensions, 384)
}

//go:embed example.yaml
var example string

// Example is a commented file to start from. It loads as it is.
func Example() []byte { return []byte(example) }
