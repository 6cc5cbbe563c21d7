package responses_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/openai/responses"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
)

func store(t testing.TB, change ...func(*responses.StoreOptions)) *responses.Store {
	t.Helper()
	o := responses.StoreOptions{Entries: 100, Bytes: 1 << 20, Age: time.Hour, Background: 8}
	for _, c := range change {
		c(&o)
	}
	s := responses.NewStore(o)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// body asks for a response with more members.
func body(input string, more ...string) string {
	b, _ := json.Marshal(input)
	return `{"model":"echo","input":` + string(b) + strings.Join(append([]string{""}, more...), ",") + `}`
}

var id = regexp.MustCompile(`resp_[a-z2-7]{26}`)

// create asks for a response and returns its id.
func create(t testing.TB, h http.Handler, body string, headers ...string) string {
	t.Helper()
	got, _ := send(t.Context(), h, "POST /v1/responses", body, headers...)
	name := id.FindString(got)
	if name == "" {
		t.Fatalf("got %s", got)
	}
	return name
}

func member(t testing.TB, response, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(response), &members); err != nil {
		t.Fatalf("%s: %v", response, err)
	}
	return strings.Trim(string(members[name]), `"`)
}

func TestWithoutAStoreNothingIsStored(t *testing.T) {
	h := api(says("Hi"), nil)
	const off = "not found: this endpoint stores no responses (responses.store is off)."
	for request, want := range map[string]string{
		"GET /v1/responses/resp_1":             "not_found : Response with id 'resp_1' " + off,
		"GET /v1/responses/resp_1/input_items": "not_found : Response with id 'resp_1' " + off,
		"DELETE /v1/responses/resp_1":          "not_found : Response with id 'resp_1' " + off,
		"POST /v1/responses/resp_1/cancel":     "not_found : Response with id 'resp_1' " + off,
		"GET /v1/responses/resp_1/cancel":      "method : Method Not Allowed: responses/{id}/cancel takes POST.",
		"PUT /v1/responses/resp_1":             "method : Method Not Allowed: responses/{id} takes GET.",
		"GET /v1/responses/resp_1/x":           "no_route : There is no such path below responses: responses/{id}, responses/{id}/input_items and responses/{id}/cancel are.",
		"POST /v1/responses/compact":           "no_route : There is no such path below responses: responses/{id}, responses/{id}/input_items and responses/{id}/cancel are.",
	} {
		if got := ask(t, h, request, ""); got != want {
			t.Errorf("%s: got %s", request, got)
		}
	}
	for more, want := range map[string]string{
		`"previous_response_id":"resp_1"`: "unsupported previous_response_id: Unsupported parameter: 'previous_response_id' is not supported by this endpoint: this endpoint stores no responses (responses.store is off). Send the earlier items in 'input'.",
		`"background":true`:               "unsupported background: Unsupported parameter: 'background' is not supported by this endpoint: this endpoint stores no responses (responses.store is off).",
	} {
		if got := ask(t, h, "POST /v1/responses", body("Hi", more)); got != want {
			t.Errorf("%s: got %s", more, got)
		}
	}
	if got := ask(t, h, "POST /v1/responses", body("Hi", `"store":true`)); member(t, got, "store") != "false" {
		t.Errorf("got %s", got)
	}
}

func TestAStoredResponseIsItsMakersUntilItIsDeleted(t *testing.T) {
	for _, more := range []string{`"store":true`, `"stream":false`, `"stream":true`} {
		h := api(says("Hi", " you"), store(t))
		made, _ := send(t.Context(), h, "POST /v1/responses", body("Hi", more), "Caller: me")
		name := id.FindString(made)
		if _, last, ok := strings.Cut(made, "event: response.completed\n"); ok {
			_, made, _ = strings.Cut(strings.TrimSuffix(last, "}\n\n"), `"response":`)
		}
		if member(t, made, "store") != "true" {
			t.Errorf("got %s", made)
		}
		got, _ := send(t.Context(), h, "GET /v1/responses/"+name, "", "Caller: me")
		if d := cmp.Diff(made, got); d != "" {
			t.Errorf("-made +got:\n%s", d)
		}
		none := "not_found : Response with id '" + name + "' not found."
		for _, request := range []string{"GET /v1/responses/" + name, "DELETE /v1/responses/" + name, "GET /v1/responses/" + name + "/input_items", "POST /v1/responses/" + name + "/cancel"} {
			for _, caller := range []string{"you", ""} {
				if got, _ := send(t.Context(), h, request, "", "Caller: "+caller); got != none {
					t.Errorf("%s: got %s", request, got)
				}
			}
		}
		if got, _ := send(t.Context(), h, "POST /v1/responses", body("more", `"previous_response_id":"`+name+`"`), "Caller: you"); got != "invalid previous_response_id: Previous response with id '"+name+"' not found." {
			t.Errorf("got %s", got)
		}
		if got, _ := send(t.Context(), h, "POST /v1/responses/"+name+"/cancel", "", "Caller: me"); got != "invalid : Cannot cancel a synchronous response: only one that was created with 'background' can be cancelled." {
			t.Errorf("got %s", got)
		}
		if got := ask(t, h, "DELETE /v1/responses/"+name, "", "Caller: me"); got != `{"id":"resp_X","object":"response","deleted":true}` {
			t.Errorf("got %s", got)
		}
		if got, _ := send(t.Context(), h, "GET /v1/responses/"+name, "", "Caller: me"); got != none {
			t.Errorf("got %s", got)
		}
	}
}

func TestWhatIsNotToBeStoredIsNot(t *testing.T) {
	h := api(says("Hi"), store(t))
	made, _ := send(t.Context(), h, "POST /v1/responses", body("Hi", `"store":false`))
	if got := ask(t, h, "GET /v1/responses/"+id.FindString(made), ""); got != "not_found : Response with id 'resp_X' not found." || member(t, made, "store") != "false" {
		t.Errorf("got %s after %s", got, made)
	}
	if got := ask(t, h, "POST /v1/responses", body("Hi", `"store":false`, `"background":true`)); got != "invalid background: Invalid 'background': a response in the background is stored, which 'store' false forbids." {
		t.Errorf("got %s", got)
	}
}

func TestAConversationGoesOn(t *testing.T) {
	s := &script.Model{Fragments: []*llm.Reply{thought(0, "Hm"), text(1, "One"), call(2, "c1", "f", "{}"), end(llm.FinishToolCalls)}}
	h := api(s, store(t))
	first := create(t, h, body("a", `"instructions":"Be brief."`))
	s.Fragments = says("Two").Fragments
	second := create(t, h, `{"model":"echo","input":[{"type":"function_call_output","call_id":"c1","output":"1"}],"instructions":"Be kind.","previous_response_id":"`+first+`"}`)
	if got := ask(t, h, "DELETE /v1/responses/"+first, ""); !strings.Contains(got, "true") {
		t.Errorf("got %s", got)
	}
	create(t, h, body("b", `"previous_response_id":"`+second+`"`))
	got := string(encode.AppendChat(nil, s.Last()))
	want := `{"model":"echo","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"One","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"c1","content":"1"},{"role":"assistant","content":"Two"},{"role":"user","content":"b"}]}`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestItemsAreReferredTo(t *testing.T) {
	s := &script.Model{Fragments: []*llm.Reply{thought(0, "Hm"), text(1, "One"), end(llm.FinishStop)}}
	h := api(s, store(t))
	first := strings.TrimPrefix(create(t, h, body("a"), "Caller: me"), "resp_")
	refer := func(ids ...string) string {
		var items []string
		for _, id := range ids {
			items = append(items, `{"type":"item_reference","id":"`+id+`"}`)
		}
		return `{"model":"echo","input":[` + strings.Join(items, ",") + `,{"role":"user","content":"b"}]}`
	}
	asked := refer("msg_"+first+"_in0", "rs_"+first+"_0", "msg_"+first+"_1")
	second := create(t, h, asked, "Caller: me")
	want := `{"model":"echo","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"One"},{"role":"user","content":"b"}]}`
	if d := cmp.Diff(want, string(encode.AppendChat(nil, s.Last()))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	ask(t, h, "DELETE /v1/responses/resp_"+first, "", "Caller: me")
	create(t, h, body("c", `"previous_response_id":"`+second+`"`), "Caller: me")
	want = strings.Replace(want, `"b"}`, `"b"},{"role":"assistant","content":"One"},{"role":"user","content":"c"}`, 1)
	if d := cmp.Diff(want, string(encode.AppendChat(nil, s.Last()))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	short := strings.TrimPrefix(second, "resp_")
	for _, c := range []struct{ caller, id string }{{"you", "msg_" + short + "_1"}, {"me", "msg_" + first + "_1"}, {"me", "msg_" + short + "_9"}, {"me", ""}} {
		got, _ := send(t.Context(), h, "POST /v1/responses", refer(c.id), "Caller: "+c.caller)
		if got != "invalid input[0].id: Item with id '"+c.id+"' not found." {
			t.Errorf("got %s", got)
		}
	}
}

func TestStoredItemsAreNotRepeatedWithoutEnd(t *testing.T) {
	h := api(says("Hi"), store(t))
	large := strings.TrimPrefix(create(t, h, body(strings.Repeat("x", 500<<10))), "resp_")
	again := strings.Repeat(`{"type":"item_reference","id":"msg_`+large+`_in0"},`, 40)
	want := "too_large input: The conversation that this request goes on from is larger than 16777216 bytes."
	if got := ask(t, h, "POST /v1/responses", `{"model":"echo","input":[`+strings.TrimSuffix(again, ",")+`]}`); got != want {
		t.Errorf("got %.200s", got)
	}
}

func TestHalfACallIsNoPartOfAConversation(t *testing.T) {
	s := &script.Model{Fragments: []*llm.Reply{text(0, "One"), call(1, "c1", "f", `{"a`), end(llm.FinishLength)}}
	h := api(s, store(t))
	first := create(t, h, body("a"))
	create(t, h, body("b", `"previous_response_id":"`+first+`"`))
	want := `{"model":"echo","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"One"},{"role":"user","content":"b"}]}`
	if d := cmp.Diff(want, string(encode.AppendChat(nil, s.Last()))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestWhatWasAskedIsListedInPages(t *testing.T) {
	h := api(says("Hi"), store(t))
	var items []string
	for i := range 25 {
		items = append(items, fmt.Sprintf(`{"role":"user","id":"m%d","content":"%d"}`, i, i))
	}
	name := create(t, h, `{"model":"echo","input":[`+strings.Join(items, ",")+`]}`)
	for query, want := range map[string]string{
		"":                         "m24…m5 20 more",
		"?order=asc":               "m0…m19 20 more",
		"?order=asc&limit=2":       "m0…m1 2 more",
		"?limit=3&after=m2":        "m1…m0 2",
		"?order=asc&after=m22":     "m23…m24 2",
		"?order=asc&after=m24":     "null…null 0",
		"?limit=100":               "m24…m0 25",
		"?limit=0":                 "invalid limit: Invalid 'limit': expected an integer from 1 to 100.",
		"?limit=101":               "invalid limit: Invalid 'limit': expected an integer from 1 to 100.",
		"?order=up":                "invalid order: Invalid 'order': supported values are 'asc' and 'desc'.",
		"?after=x":                 "invalid after: Invalid 'after': there is no item with id 'x'.",
		"?api-version=preview&x=1": "m24…m5 20 more",
	} {
		got := ask(t, h, "GET /v1/responses/"+name+"/input_items"+query, "")
		if strings.HasPrefix(got, "{") {
			var page struct {
				Data []json.RawMessage `json:"data"`
			}
			if err := json.Unmarshal([]byte(got), &page); err != nil {
				t.Fatal(err)
			}
			more := map[string]string{"true": " more"}[member(t, got, "has_more")]
			got = fmt.Sprintf("%s…%s %d%s", member(t, got, "first_id"), member(t, got, "last_id"), len(page.Data), more)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	got := ask(t, h, "GET /v1/responses/"+name+"/input_items?limit=1", "")
	if want := `{"object":"list","data":[{"id":"m24","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"24"}]}],"first_id":"m24","last_id":"m24","has_more":true}`; got != want {
		t.Errorf("got %s", got)
	}
}

// found counts how many of these responses are still there.
func found(t testing.TB, h http.Handler, names []string) string {
	t.Helper()
	there := ""
	for i, name := range names {
		if got := ask(t, h, "GET /v1/responses/"+name, ""); strings.HasPrefix(got, "{") {
			there += strconv.Itoa(i)
		}
	}
	return there
}

func TestTheStoreIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*responses.StoreOptions)
		sizes  []int
		want   string
	}{
		"in number":                 {func(o *responses.StoreOptions) { o.Entries = 3 }, []int{1, 1, 1, 1, 1}, "234"},
		"in bytes":                  {func(o *responses.StoreOptions) { o.Bytes = 32 << 10 }, []int{9 << 10, 9 << 10, 9 << 10, 9 << 10}, "23"},
		"by one that is too large":  {func(o *responses.StoreOptions) { o.Bytes = 32 << 10 }, []int{1, 1, 64 << 10, 1}, "013"},
		"by what it goes on from":   {func(o *responses.StoreOptions) { o.Bytes = 64 << 10 }, []int{9 << 10, -9 << 10, -9 << 10, -9 << 10}, "3"},
		"in nothing that is enough": {func(*responses.StoreOptions) {}, []int{1, 1, 1, 1}, "0123"},
	} {
		t.Run(name, func(t *testing.T) {
			h := api(says("Hi"), store(t, c.change))
			var names []string
			for _, size := range c.sizes {
				more := []string{`"store":true`}
				if size < 0 {
					more = append(more, `"previous_response_id":"`+names[len(names)-1]+`"`)
				}
				names = append(names, create(t, h, body(strings.Repeat("x", max(size, -size)), more...)))
			}
			if got := found(t, h, names); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestWhoStoresMuchMakesNobodyElseLose(t *testing.T) {
	for name, change := range map[string]func(*responses.StoreOptions){
		"too many":  func(o *responses.StoreOptions) { o.Entries = 4 },
		"too large": func(o *responses.StoreOptions) { o.Bytes = 64 << 10 },
	} {
		t.Run(name, func(t *testing.T) {
			h := api(says("Hi"), store(t, change))
			names := []string{create(t, h, body("Hi")), create(t, h, body("Hi"))}
			last := ""
			for range 9 {
				last = create(t, h, body(strings.Repeat("x", 10<<10)), "Caller: another")
			}
			if got := found(t, h, names); got != "01" {
				t.Errorf("of two there are %q", got)
			}
			if got := ask(t, h, "GET /v1/responses/"+last, "", "Caller: another"); !strings.HasPrefix(got, "{") {
				t.Errorf("the last of the other is gone: %s", got)
			}
		})
	}
}

func TestResponsesAreForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := api(says("Hi"), store(t))
		names := []string{create(t, h, body("Hi"))}
		time.Sleep(40 * time.Minute)
		names = append(names, create(t, h, body("Hi", `"previous_response_id":"`+names[0]+`"`)))
		time.Sleep(19*time.Minute + 59*time.Second)
		if got := found(t, h, names); got != "01" {
			t.Errorf("got %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := found(t, h, names); got != "1" {
			t.Errorf("got %s", got)
		}
		time.Sleep(time.Hour)
		if got := found(t, h, names); got != "" {
			t.Errorf("got %s", got)
		}
	})
}

func TestManyAtOnceDoNotGetInEachOthersWay(t *testing.T) {
	t.Parallel()
	h := api(says("Hi"), store(t, func(o *responses.StoreOptions) { o.Entries, o.Bytes, o.Background = 20, 64<<10, 8 }))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			caller := fmt.Sprintf("Caller: %d", i)
			for k := range 30 {
				mark := fmt.Sprintf("%d-%d", i, k)
				more := []string{`"metadata":{"of":"` + mark + `"}`, `"background":` + strconv.FormatBool(k%3 == 0), `"stream":` + strconv.FormatBool(k%2 == 0)}
				made, _ := send(t.Context(), h, "POST /v1/responses", body(mark, more...), caller)
				name := id.FindString(made)
				if name == "" {
					continue // as many as may were under way
				}
				for _, request := range []string{"GET ", "POST cancel ", "DELETE "} {
					method, suffix, _ := strings.Cut(strings.TrimSpace(request), " ")
					got, _ := send(t.Context(), h, method+" "+strings.TrimSuffix("/v1/responses/"+name+"/"+suffix, "/"), "", caller)
					if strings.Contains(got, `"metadata"`) && !strings.Contains(got, `"metadata":{"of":"`+mark+`"}`) {
						t.Errorf("%s: got %s", mark, got)
					}
				}
			}
		})
	}
	wg.Wait()
	names := []string{create(t, h, body("a")), create(t, h, body("b"))}
	if got := found(t, h, names); got != "01" {
		t.Errorf("got %s", got)
	}
}

func TestIDsAreNotGuessed(t *testing.T) {
	h := api(says("Hi"), store(t))
	seen := map[string]bool{}
	for range 100 {
		name := create(t, h, body("Hi"))
		if seen[name] || seen[name[:16]] {
			t.Fatalf("%s has been there before", name)
		}
		seen[name], seen[name[:16]] = true, true
	}
}
