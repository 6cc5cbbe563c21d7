package model

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
)

// placesFacts is where a deployment is answered that is no model of this machine alone.
type placesFacts struct {
	Name   string       `json:"name"`
	Places []placeFacts `json:"places"`
}

// placeFacts is one place that answers, by what is given of local, command and provider.
type placeFacts struct {
	Local    string          `json:"local,omitempty"`
	Command  bool            `json:"command,omitempty"`
	Provider string          `json:"provider,omitempty"`
	Type     string          `json:"type,omitempty"`
	Host     string          `json:"host,omitempty"` // of the endpoint, whose rest may hold a secret
	Speaks   string          `json:"speaks,omitempty"`
	Model    string          `json:"model,omitempty"`  // as it is called there
	Weight   *int            `json:"weight,omitempty"` // among several
	Record   *gateway.Record `json:"record,omitempty"` // as callers are told
}

// elsewhereError tells that a deployment is answered elsewhere, or by several.
type elsewhereError struct{ facts placesFacts }

func (e *elsewhereError) Error() string { return e.facts.Name + " is not answered by one local model" }

// placesOf tells where a deployment is answered.
func placesOf(cfg *config.Config, m *config.Model) (placesFacts, error) {
	f := placesFacts{Name: m.Name}
	targets := m.Targets
	if len(targets) == 0 {
		targets = []config.Model{*m}
	}
	for i := range targets {
		to := &targets[i]
		place := placeFacts{Local: to.Local, Command: to.Command != "", Provider: to.Provider, Model: to.Model}
		if len(m.Targets) > 0 {
			place.Weight = new(1)
			if to.Weight != nil {
				place.Weight = to.Weight
			}
		}
		if p := cfg.Provider(to.Provider); p != nil {
			record, err := gateway.RemoteRecord(p, to)
			if err != nil {
				return f, err
			}
			place.Type, place.Speaks, place.Record = p.Type, cmp.Or(p.Surface, p.Flavour), &record
			place.Model = record.Model
			if u, err := url.Parse(p.Endpoint); err == nil {
				place.Host = u.Host
			}
		}
		f.Places = append(f.Places, place)
	}
	return f, nil
}

func (f placesFacts) rows() [][]string {
	rows := [][]string{{"name", f.Name}}
	for i, p := range f.Places {
		what := "answered by"
		if p.Weight != nil {
			what = "target " + strconv.Itoa(i+1)
		}
		rows = append(rows, []string{"", ""}, []string{what, p.String()})
		add := func(name, value string) {
			if value != "" {
				rows = append(rows, []string{"  " + name, value})
			}
		}
		add("model there", p.Model)
		add("host", p.Host)
		add("speaks", strings.TrimSpace(p.Type+" "+p.Speaks))
		if r := p.Record; r != nil {
			add("does", strings.Join(r.Operations, ", "))
		}
		if p.Weight != nil {
			add("weight", strconv.Itoa(*p.Weight))
		}
	}
	return rows
}

// String names the place.
func (p placeFacts) String() string {
	switch {
	case p.Local != "":
		return fmt.Sprintf("the local model %s: `ingot models show %[1]s`", p.Local)
	case p.Command:
		return "a server that is started here by its command"
	case p.Type == "":
		return "the mock model"
	}
	return "provider " + p.Provider
}
