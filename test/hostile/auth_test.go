//go:build linux

package hostile_test

import (
	"bufio"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestWithoutAKeyEverythingElseIsTheSame401(t *testing.T) {
	t.Parallel()
	s := serve(t, impatient)
	want := ""
	for name, raw := range map[string]string{
		"a question":            ask(),
		"a streamed one":        request("POST", "/chat/completions", asked(`"stream":true`)),
		"no JSON":               request("POST", "/chat/completions", "{"),
		"no body":               without + "Content-Length: 10\r\n\r\n",
		"a body too large":      without + "Content-Length: 99999999999\r\n\r\n",
		"a media type":          ask("Content-Type: image/png"),
		"a coding":              ask("Content-Encoding: br"),
		"extra parameters":      ask("extra-parameters: nonsense"),
		"a path":                request("GET", "/nowhere", ""),
		"a deployment":          request("POST", "/deployments/nobody/chat/completions", "{}"),
		"a header's deployment": ask("azureml-model-deployment: nobody"),
		"a method":              request("DELETE", "/chat/completions", ""),
		"info":                  request("GET", "/info", ""),
		"a version":             request("POST", "/chat/completions?api-version=nonsense", "{}"),
	} {
		for how, other := range map[string]string{
			"none": "x-nothing: 1", "an empty one": "api-key:", "a wrong one": "api-key: wrong", "one like it": "api-key: " + key[:len(key)-1] + "X",
			"the beginning": "api-key: " + key[:4], "one that goes on": "api-key: " + key + "x", "a long one": "api-key: " + strings.Repeat("k", 8<<10),
			"basic": "Authorization: Basic " + key, "a token": "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.", "a path": "api-key: ../../key",
		} {
			c := s.dial(t)
			if _, err := io.WriteString(c, strings.Replace(raw, "api-key: "+key, other, 1)); err != nil {
				t.Fatal(err)
			}
			a, err := read(bufio.NewReader(c))
			_ = c.Close()
			if want == "" {
				want = a.body
			}
			if err != nil || a.status != http.StatusUnauthorized || a.body != want || inShape(a) != nil {
				t.Errorf("%s, %s: got %+v, %v", name, how, a, err)
			}
		}
	}
	if regexp.MustCompile(`(?i)wrong|nobody|nowhere`).MatchString(want) {
		t.Errorf("it tells too much: %s", want)
	}
}

// BenchmarkWrongKeys shows that keys cost the same whatever is wrong with them.
func BenchmarkWrongKeys(b *testing.B) {
	s := serve(b, "", "--log", "error")
	for _, k := range []struct{ name, header string }{
		{"none", "x-nothing: 1"},
		{"short", "api-key: x"},
		{"first byte", "api-key: X" + key[1:]},
		{"last byte", "api-key: " + key[:len(key)-1] + "X"},
		{"longer", "api-key: " + key + key},
		{"bearer", "Authorization: Bearer X" + key[1:]},
	} {
		b.Run(k.name, func(b *testing.B) {
			c := s.dial(b)
			r := bufio.NewReader(c)
			raw := strings.Replace(request("GET", "/info", ""), "api-key: "+key, k.header, 1)
			for b.Loop() {
				_, _ = io.WriteString(c, raw)
				if a, err := read(r); err != nil || a.status != http.StatusUnauthorized {
					b.Fatal(a, err)
				}
			}
		})
	}
}
