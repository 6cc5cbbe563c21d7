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
var changing = regexp.MustCompile(`"(id|item_id|call_id|response_id|created|created_at|completed_at)":("[^"]*"|\d+)`)

// question is a request with what its answer has, whole or streamed.
type question struct {
	path, body, want string
	refused          bool
}

// mixed is the i-th of a mixture of requests at all doors.
func mixed(i int) question {
	word := fmt.Sprintf("%s-%d-", marker, i)
	message := `"messages":[{"role":"user","content":"` + word + `"}]`
	schema := `{"type":"object","properties":{"a":{"const":"` + word + `"}},"required":["a"]}`
	function := `"name":"f` + strconv.Itoa(i) + `","parameters":` + schema
	tool := `"tools":[{"type":"function","function":{` + function + `}}],"tool_choice":"required"`
	const usage = `"stream":true,"stream_options":{"include_usage":true},`
	const vector = `"embedding":`
	called, unknown := `"name":"f`+strconv.Itoa(i)+`"`, "unknown"+strconv.Itoa(i)
	mixture := []question{
		{path: "/chat/completions", body: `{` + message + `}`, want: marker},
		{path: "/models/chat/completions", body: `{"model":"mock","stream":true,` + message + `}`, want: marker},
		{path: "/completions", body: `{"prompt":["` + word + `","` + word + `"]}`, want: marker},
		{path: "/deployments/mock/completions", body: `{"stream":true,"prompt":"` + word + `"}`, want: marker},
		{path: "/embeddings", body: `{"input":["` + word + `"],"dimensions":16}`, want: vector},
		{path: "/chat/completions", body: `{` + message + `,` + tool + `}`, want: called},
		{path: "/chat/completions", body: `{"stream":true,` + message + `,` + tool + `}`, want: called},
		{path: "/deployments/mock-reasoning/chat/completions", body: `{"stream":true,` + message + `}`, want: marker},
		{path: "/models/embeddings", body: `{"model":"mock-embedding","input":["` + word + `","other"],"encoding_format":"base64"}`, want: vector},
		{path: "/images/embeddings", body: `{"input":[{"image":"` + red + `","text":"` + word + `"}],"dimensions":16}`, want: vector},
		{path: "/inference/chat/completions", body: `{"model":"openai/gpt-4o","n":2,` + message + `}`, want: marker},
		{path: "/orgs/acme/inference/embeddings", body: `{"model":"mock-embedding","input":"` + word + `"}`, want: vector},
		{path: "/openai/deployments/mock/chat/completions", body: `{` + usage + message + `}`, want: marker},
		{path: "/openai/deployments/mock/chat/completions", body: `{` + message + `,"functions":[{` + function + `}],"function_call":{"name":"f` + strconv.Itoa(i) + `"}}`, want: called},
		{path: "/openai/deployments/mock/completions", body: `{"prompt":"` + word + `","echo":true,"best_of":2}`, want: marker},
		{path: "/openai/deployments/mock-embedding/embeddings", body: `{"input":"` + word + `","encoding_format":"base64"}`, want: vector},
		{path: "/v1/chat/completions", body: `{"model":"mock","logprobs":true,"top_logprobs":1,` + message + `}`, want: marker},
		{path: "/openai/v1/chat/completions", body: `{"model":"mock",` + usage + message + `,` + tool + `}`, want: called},
		{path: "/v1/embeddings", body: `{"model":"mock-embedding","input":["` + word + `"]}`, want: vector},
		{path: "/v1/responses", body: `{"model":"mock","input":"` + word + `","instructions":"` + word + `"}`, want: marker},
		{path: "/openai/v1/responses", body: `{"model":"mock-reasoning","stream":true,"input":"` + word + `"}`, want: marker},
		{path: "/v1/responses", body: `{"model":"mock","stream":true,"input":"` + word + `","tools":[{"type":"function",` + function + `}],"tool_choice":"required"}`, want: called},
		{path: "/chat/completions", body: `{` + message + `,"` + unknown + `":"` + word + `"}`, want: unknown, refused: true},
		{path: "/openai/deployments/" + unknown + "/chat/completions", body: `{` + message + `}`, want: unknown, refused: true},
		{path: "/v1/chat/completions", body: `{"model":"` + unknown + `",` + message + `}`, want: unknown, refused: true},
		{path: "/v1/responses", body: `{"model":"mock","input":"x","` + unknown + `":1}`, want: unknown, refused: true},
	}
	return mixture[i%len(mixture)]
}

// red is an image of eight by eight pixels.
const red = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"

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
		q := mixed(i)
		var err error
		if want[i], err = post(once, s.url(q.path), q.body); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(want[i], "200") == q.refused || !strings.Contains(want[i], q.want) {
			t.Fatalf("%s %s: got %.300s", q.path, q.body, want[i])
		}
		if j := slices.Index(want[:i], want[i]); j >= 0 {
			t.Fatalf("%s %s: the answer of another: %.300s", q.path, q.body, want[i])
		}
	}
	for _, client := range []*http.Client{once, {Transport: &http.Transport{MaxIdleConnsPerHost: many}}} {
		gate := make(chan struct{})
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				<-gate
				q := mixed(i)
				got, err := post(client, s.url(q.path), q.body)
				if err != nil || got != want[i] {
					t.Errorf("%s %s: got %.500s, %v; alone it was %.500s", q.path, q.body, got, err, want[i])
				}
			})
		}
		close(gate)
		wg.Wait()
		client.CloseIdleConnections()
	}
	s.settles(t, before)
}
