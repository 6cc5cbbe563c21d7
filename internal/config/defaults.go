package config

// Default is what serves without a file: the default chat and embedding models
// on loopback.
func Default() *Config {
	c := &Config{}
	fill(c)
	for _, name := range []string{"smollm2", "minilm"} {
		c.Models = append(c.Models, deployment(Model{Name: name, Local: name}))
	}
	return c
}

// DefaultMock is what serves with --mock: five mock models on loopback, no download
// and no engine.
func DefaultMock() *Config {
	c := &Config{}
	fill(c)
	for _, d := range []struct {
		name string
		mock Mock
	}{
		{"mock", Mock{}},
		{"mock-long", Mock{Behaviour: "count", TokensPerSecond: 500, MaxTokens: 4096}},
		{"mock-cut", Mock{Fault: &Fault{Cut: 3}}},
		{"mock-reasoning", Mock{Behaviour: "reasoning"}},
		{"mock-embedding", Mock{Behaviour: "embedding"}},
	} {
		c.Models = append(c.Models, deployment(Model{Name: d.name, Provider: "mock", Mock: &d.mock}))
	}
	return c
}

// deployment is m with the defaults of whatever it leaves out.
func deployment(m Model) Model {
	fill(&m)
	return m
}
