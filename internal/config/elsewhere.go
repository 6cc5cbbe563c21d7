package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/config/tagged"
)

// elsewhere checks what refers to other servers, to tokens from other places, and to the models of this file, which are called so.
func (k *checker) elsewhere(c *Config, models []string) {
	providers := []string{"mock", "openai"}
	for _, p := range c.Providers {
		k.provider(tagged.Join("providers", p.Name), p)
		if !slices.Contains(providers, p.Name) {
			providers = append(providers, p.Name)
		}
	}
	known := func(path, provider string) {
		if provider != "" && !slices.Contains(providers, provider) {
			k.refuse(path+".provider", "no provider %s; %s", k.src.Quoted(path+".provider", provider), tagged.Suggest(provider, providers, "known here: "))
		}
	}
	for path, m := range c.places() {
		known(path, m.Provider)
	}
	served := func(path, name string) {
		if !slices.Contains(models, name) {
			k.refuse(path, "no model %s in this file; %s", k.src.Quoted(path, name), tagged.Suggest(name, models, "it has: "))
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(c.Aliases.Names)) {
		served(tagged.Join("aliases", alias), c.Aliases.Names[alias])
	}
	if c.Endpoint != nil {
		k.endpoint(c.Endpoint, served)
	}
	k.entra(c.Entra)
}

func (k *checker) provider(path string, p Provider) {
	if p.Name == "mock" {
		k.refuse(path, "is what the mock model is called; choose another name")
	}
	if p.Endpoint == "" && p.Type == "azure" {
		k.refuse(path, "needs an endpoint, such as https://NAME.openai.azure.com")
	}
	for member, value := range map[string]string{"endpoint": p.Endpoint, "proxy": p.Proxy} {
		u, err := url.Parse(value)
		if value != "" && !(member == "proxy" && value == "off") && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			k.refuse(tagged.Join(path, member), "expected an address such as https://models.example")
		} else if err == nil && member == "endpoint" && u.User != nil {
			k.refuse(tagged.Join(path, member), "holds a password; say it as key")
		}
	}
	ways := 0
	for _, given := range []bool{p.Key != "", p.KeyFile != "", p.Entra != nil} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		k.refuse(path, "takes one of key, key_file and entra")
	case ways == 0 && p.Type == "azure":
		k.refuse(path, "needs key, key_file or entra")
	case ways == 0 && p.Endpoint == "":
		k.refuse(path, "needs a key for OpenAI itself: set OPENAI_API_KEY, or write key or key_file")
	}
	if p.Surface != "" && p.Type == "openai" {
		k.refuse(tagged.Join(path, "surface"), "goes only with type: azure")
	}
	if p.Flavour != "" && p.Type == "azure" {
		k.refuse(tagged.Join(path, "flavour"), "goes only with type: openai")
	}
	if e := p.Entra; e != nil && e.Method == "client-secret" && (e.Tenant == "" || e.Client == "" || (e.Secret == "") == (e.SecretFile == "")) {
		k.refuse(tagged.Join(path, "entra"), "needs tenant, client, and one of secret and secret_file for client-secret")
	}
}

func (k *checker) endpoint(e *Endpoint, served func(path, name string)) {
	const whole, half = 100, 50
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(e.Traffic)) {
		served("endpoint.traffic."+name, name)
		if share := e.Traffic[name]; share < 0 {
			k.refuse("endpoint.traffic."+name, "must not be negative")
		} else {
			sum += min(share, whole+1)
		}
	}
	if sum != whole && sum != 0 {
		k.refuse("endpoint.traffic", "adds up to %d percent, want 100, or 0 for no traffic", sum)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Mirror)) {
		served("endpoint.mirror."+name, name)
		if share := e.Mirror[name]; share < 0 || share > half {
			k.refuse("endpoint.mirror."+name, "expected 0 to 50 percent")
		}
	}
	if len(e.Mirror) > 1 {
		k.refuse("endpoint.mirror", "goes to one model")
	}
}

func (k *checker) entra(e Entra) {
	const most = 5 * time.Minute
	if e.Leeway > most {
		k.refuse("entra.leeway", "expected 5m at most")
	}
	a := e.Allow
	allowed := len(a.Objects) + len(a.Apps) + len(a.Roles) + len(a.Scopes) + len(a.Groups)
	if len(e.Tenants) == 0 {
		if len(e.Audiences) > 0 || e.FirstParty || allowed > 0 {
			k.refuse("entra", "needs tenants: whose tokens are taken")
		}
		return
	}
	if len(e.Audiences) == 0 && !e.FirstParty {
		k.refuse("entra", "needs audiences: what tokens are made out to")
	}
	if allowed == 0 {
		k.refuse("entra", "needs allow: who of those tenants may call, by objects, apps, roles, scopes or groups")
	}
	u, err := url.Parse(e.Authority)
	if err != nil || u.Host == "" || u.Scheme != "https" && !strings.HasPrefix(e.Authority, "http://127.0.0.1:") {
		k.refuse("entra.authority", "expected an https address")
	}
}
