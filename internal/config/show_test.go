package config_test

import (
	"strings"
	"testing"
)

func TestShowHidesWhatAnAddressHolds(t *testing.T) {
	c := parse(t, "models: {a: {provider: p}}\nproviders: {p: {type: openai, endpoint: 'http://127.0.0.1:9/v1?api-key=eeee', key: kkkkkkkk, proxy: 'http://me:pppp@127.0.0.1:3128'}}")
	got := string(c.YAML(true))
	for _, secret := range []string{"eeee", "kkkk", "pppp"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is shown:\n%s", secret, got)
		}
	}
	if !strings.Contains(got, "http://127.0.0.1:9/v1") || !strings.Contains(got, "@127.0.0.1:3128") {
		t.Errorf("too much is hidden:\n%s", got)
	}
}
