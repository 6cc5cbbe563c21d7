package request_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// many repeats a list's element until it takes up some bytes.
func many(size int, element string) string {
	return strings.TrimSuffix(strings.Repeat(element+",", size/(len(element)+1)), ",")
}

// members are so many of an object, each of another name.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%x":1,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func TestABodyCannotMakeUsAllocateFarMoreThanItsSize(t *testing.T) {
	const mb = 256 << 10
	hi := `"messages":[{"role":"user","content":"x"}]`
	for _, c := range []struct{ name, body, complaint string }{
		{"one text", `{"messages":[{"role":"user","content":"` + strings.Repeat("abc ", mb) + `"}]}`, ""},
		{"escapes alone", `{"messages":[{"role":"user","content":"` + strings.Repeat(`\"`, mb) + `"}]}`, ""},
		{"messages", `{"messages":[` + many(400_000, `{"role":"user","content":""}`) + `]}`, ""},
		{"too many messages", `{"messages":[` + many(mb, `{}`) + `]}`, "List should have at most 16384 items"},
		{"messages at fault", `{"messages":[` + many(32<<10, `1`) + `]}`, "Input should be a valid dictionary"},
		{"messages with members of their own", `{"messages":[` + many(500_000, `{"role":"user","content":"","a":1}`) + `]}`, ""},
		{"parts", `{"messages":[{"role":"user","content":[` + many(400_000, `{"type":"text","text":""}`) + `]}]}`, ""},
		{"parts at fault", `{"messages":[{"role":"user","content":[` + many(45_000, `{}`) + `]}]}`, "Field required"},
		{"parts of an assistant", `{"messages":[{"role":"assistant","content":[` + many(mb, `{}`) + `]}]}`, "List should have at most 16384 items"},
		{"tool calls", `{"messages":[{"role":"assistant","tool_calls":[` + many(mb, `{"function":{}}`) + `]}]}`, "List should have at most 1024 items"},
		{"arguments as an object", `{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"x","arguments":{"a":"` + strings.Repeat(`\"`, mb) + `"}}}]}]}`, ""},
		{"members", `{` + hi + "," + members(60_000) + `}`, "A request should have at most 1024 members"},
		{"members of a message", `{"messages":[{"role":"user","content":"",` + members(60_000) + `}]}`, ""},
		{"members of two messages", `{"messages":[{"role":"user","content":"",` + members(60_000) + `},{"role":"user","content":"",` + members(60_000) + `}]}`, "A request should have at most 65536 members beyond the contract"},
		{"members of a schema", `{` + hi + `,"tools":[{"type":"function","function":{"name":"x","parameters":{` + members(60_000) + `}}}]}`, ""},
		{"far too many members", `{` + hi + `,"x":{` + members(70_000) + `}}`, "too many members"},
		{"a long number", `{` + hi + `,"seed":` + strings.Repeat("1", mb) + `}`, "Input should be less than or equal to 9223372036854775807"},
		{"token ids", `{"prompt":[` + many(mb, "1") + `]}`, ""},
		{"lists of token ids", `{"prompt":[` + many(mb, "["+many(1000, "1")+"]") + `]}`, ""},
		{"too many token ids", `{"prompt":[` + many(9<<20, "["+many(mb, "1")+"]") + `]}`, "A request should have at most 4194304 token ids"},
		{"token ids at fault", `{"prompt":[1,` + many(mb, `""`) + `]}`, "Input should be a valid integer"},
		{"prompts", `{"prompt":[` + many(32<<10, `"a"`) + `]}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body)
			all := contract()
			all.Admit = func(string) request.Admission { return request.Take }
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			if strings.HasPrefix(c.body, `{"prompt"`) {
				_, err = request.DecodeComplete(body, all)
			} else {
				_, err = request.DecodeChat(body, all)
			}
			runtime.ReadMemStats(&after)
			said := ""
			if err != nil {
				e := llm.AsError(err)
				said = e.Message
				if len(e.Details) > 0 {
					said = e.Details[0].Msg
				}
			}
			if c.complaint == "" && said != "" || !strings.Contains(said, c.complaint) {
				t.Errorf("complaint is %q, want %q", said, c.complaint)
			}
			const most = 40
			if got := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(body)); got > most {
				t.Errorf("%.1f bytes allocated for each of the body, want %d at most", got, most)
			}
		})
	}
}

func TestRefusedMembersAreNotListedWithoutEnd(t *testing.T) {
	c := contract()
	c.Admit = func(string) request.Admission { return request.Refuse }
	n := 0
	c.Refused = func(names []string, _ jsonx.Value) *llm.Error { n = len(names); return &llm.Error{} }
	if _, err := request.DecodeChat([]byte("{"+members(1000)+"}"), c); err == nil || n != 32 {
		t.Errorf("%d names, %v", n, err)
	}
}

func TestANullAmongTokenIDsIsNotLeftOut(t *testing.T) {
	_, err := request.DecodeEmbed([]byte(`{"input":[1,null,2]}`), contract())
	e := llm.AsError(err)
	if err == nil || len(e.Details) != 1 || e.Details[0].Type != "int_type" || fmt.Sprint(e.Details[0].Loc) != "[body input 1]" {
		t.Errorf("got %+v", e)
	}
}
