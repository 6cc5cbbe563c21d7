//go:build linux

package hostile_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// changing is what two equal answers differ in.
var changing = regexp.MustCompile(`"(id|created)":("[^"]*"|\d+)`)

// mixed is the i-th of a mixture of requests; what belongs to it is in its answer, whole or streamed.
func mixed(i int) (path, body string) {
	word := fmt.Sprintf("%s-%d-", marker, i)
	message := `"messages":[{"role":"user","content":"` + word + `"}]`
	tool := `"tools":[{"type":"function","function":{"name":"f` + strconv.Itoa(i) + `","parameters":{"type":"object","properties":{"a":{"const":"` + word + `"}},"required":["a"]}}}],"tool_choice":"required"`
	switch i % 10 {
	case 0:
		return "/chat/completions", `{` + message + `}`
	case 1:
		return "/models/chat/completions", `{"model":"mock","stream":true,` + message + `}`
	case 2:
		return "/completions", `{"prompt":["` + word + `","` + word + `"]}`
	case 3:
		return "/deployments/mock/completions", `{"stream":true,"prompt":"` + word + `"}`
	case 4:
		return "/embeddings", `{"input":["` + word + `"],"dimensions":16}`
	case 5:
		return "/chat/completions", `{` + message + `,` + tool + `}`
	case 6:
		return "/chat/completions", `{"stream":true,` + message + `,` + tool + `}`
	case 7:
		return "/chat/completions", `{` + message + `,"unknown` + strconv.Itoa(i) + `":"` + word + `"}`
	case 8:
		return "/deployments/mock-reasoning/chat/completions", `{"stream":true,` + message + `}`
	}
	return "/models/embeddings", `{"model":"mock-embedding","input":["` + word + `","other"],"encoding_format":"base64"}`
}

// post returns status and body of an answer without what changes.
func post(client *http.Client, url, body string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, changing.ReplaceAll(text, []byte(`"$1":0`))), nil
}

func TestManyRequestsAtOnceAreAnsweredAsOneByOne(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	before := s.mustUsage(t)
	const many = 200
	want := make([]string, many)
	for i := range want {
		path, body := mixed(i)
		var err error
		if want[i], err = post(once, s.url(path), body); err != nil {
			t.Fatal(err)
		}
		if ok := strings.HasPrefix(want[i], "200"); ok == (i%10 == 7) {
			t.Fatalf("%s %s: got %.300s", path, body, want[i])
		}
		if j := slices.Index(want[:i], want[i]); j >= 0 {
			t.Fatalf("%s %s: the answer of another: %.300s", path, body, want[i])
		}
	}
	for _, client := range []*http.Client{once, {Transport: &http.Transport{MaxIdleConnsPerHost: many}}} {
		gate := make(chan struct{})
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				<-gate
				path, body := mixed(i)
				got, err := post(client, s.url(path), body)
				if err != nil || got != want[i] {
					t.Errorf("%s %s: got %.500s, %v; alone it was %.500s", path, body, got, err, want[i])
				}
			})
		}
		close(gate)
		wg.Wait()
		client.CloseIdleConnections()
	}
	s.settles(t, before)
}
