//go:build linux

package hostile_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWithoutAKeyEverythingElseIsTheSame401(t *testing.T) {
	t.Parallel()
	s := serve(t, impatient)
	want, err := unauthorized(s, strings.Replace(ask(), "api-key: "+key, "x-nothing: 1", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("", func(t *testing.T) {
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
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for how, other := range map[string]string{
					"none": "x-nothing: 1", "an empty one": "api-key:", "a wrong one": "api-key: wrong", "one like it": "api-key: " + key[:len(key)-1] + "X",
					"the beginning": "api-key: " + key[:4], "one that goes on": "api-key: " + key + "x", "a long one": "api-key: " + strings.Repeat("k", 8<<10),
					"basic": "Authorization: Basic " + key, "a token": "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.", "a path": "api-key: ../../key",
				} {
					got, err := unauthorized(s, strings.Replace(raw, "api-key: "+key, other, 1))
					if err != nil || got != want {
						t.Errorf("%s: got %s, %v", how, got, err)
					}
				}
			})
		}
	})
	if regexp.MustCompile(`(?i)wrong|nobody|nowhere`).MatchString(want) {
		t.Errorf("it tells too much: %s", want)
	}
}

// unauthorized is the body of the 401 that a request gets.
func unauthorized(s *server, raw string) (string, error) {
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		return "", err
	}
	a, err := read(bufio.NewReader(c))
	if err == nil && a.status != http.StatusUnauthorized {
		err = fmt.Errorf("got %d", a.status)
	}
	if err == nil {
		err = inShape(a)
	}
	return a.body, err
}

// BenchmarkWrongKeys asks with keys that are wrong in different ways, in turn, and reports the median
// of each kind as a ratio of the median of all: what is wrong does not show in the time.
func BenchmarkWrongKeys(b *testing.B) {
	s := serve(b, "", "--log", "error")
	kinds := []struct{ name, header string }{
		{"none", "x-nothing: 1"},
		{"short", "api-key: x"},
		{"first-byte", "api-key: X" + key[1:]},
		{"last-byte", "api-key: " + key[:len(key)-1] + "X"},
		{"longer", "api-key: " + key + key},
		{"bearer", "Authorization: Bearer X" + key[1:]},
	}
	c := s.dial(b)
	if err := c.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	r := bufio.NewReader(c)
	took := make([][]time.Duration, len(kinds))
	var all []time.Duration
	for b.Loop() {
		for i, k := range kinds {
			raw := strings.Replace(request("GET", "/info", ""), "api-key: "+key, k.header, 1)
			began := time.Now()
			_, _ = io.WriteString(c, raw)
			a, err := read(r)
			if err != nil || a.status != http.StatusUnauthorized {
				b.Fatal(a, err)
			}
			took[i] = append(took[i], time.Since(began))
			all = append(all, time.Since(began))
		}
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2])
	}
	middle := median(all)
	for i, k := range kinds {
		b.ReportMetric(median(took[i])/middle, k.name+"/all")
	}
}
