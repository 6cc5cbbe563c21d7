//go:build linux

package hostile_test

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// asked is a question with one member more, or one twice.
func asked(more string) string {
	return strings.TrimSuffix(chat(marker), "}") + "," + more + "}"
}

// answered stands for an answer or a refusal of the value: the contract leaves it open.
const answered = 0

func TestBodiesThatAreNotQuestions(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	message := `{"role":"user","content":"` + marker + `"}`
	messages := func(list string) string { return `{"messages":[` + list + `]}` }
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	repeat := func(text string, n int) string {
		return strings.Join(slices.Repeat([]string{text}, n), ",")
	}
	cases := []struct {
		name, body string
		want       int
	}{
		{"nothing", "", 400},
		{"white space", " \r\n\t", 400},
		{"an empty list", "[]", 400},
		{"null", "null", 400},
		{"a string", `"x"`, 400},
		{"a number", "1", 400},
		{"true", "true", 400},
		{"an empty object", "{}", 422},
		{"half an object", `{"messages":[`, 400},
		{"a comma too many", asked(""), 400},
		{"a comment", chat(marker) + "// " + marker, 400},
		{"single quotes", `{'messages':[]}`, 400},
		{"a form", "messages=" + marker, 400},
		{"a byte order mark", "\ufeff" + chat(marker), 400},
		{"UTF-16", "\xff\xfe{\x00}\x00", 400},
		{"a second document", chat(marker) + chat(marker), 400},
		{"a second document on a line of its own", chat(marker) + "\n{}", 400},
		{"white space around", "\n\t " + chat(marker) + "\r\n", 200},
		{"NUL after it", chat(marker) + "\x00", 400},
		{"NUL in a text", messages(`{"role":"user","content":"a` + "\x00" + `b"}`), 400},
		{"an escaped NUL", messages(`{"role":"user","content":"a\u0000b` + marker + `"}`), 200},
		{"a line in a text", messages("{\"role\":\"user\",\"content\":\"a\nb\"}"), 400},
		{"invalid UTF-8", messages("{\"role\":\"user\",\"content\":\"\xff\xfe\"}"), 400},
		{"an overlong UTF-8", messages("{\"role\":\"user\",\"content\":\"\xc0\xaf\"}"), 400},
		{"a surrogate as UTF-8", messages("{\"role\":\"user\",\"content\":\"\xed\xa0\x80\"}"), 400},
		{"a lone surrogate", messages(`{"role":"user","content":"\ud800"}`), 200},
		{"half a pair", messages(`{"role":"user","content":"\ud83d\ud83d\ude00"}`), 200},
		{"half an escape", messages(`{"role":"user","content":"\u12"}`), 400},
		{"an unknown escape", messages(`{"role":"user","content":"\x41"}`), 400},

		{"a member twice", asked(`"messages":[` + message + `]`), 400},
		{"a member twice, once escaped", asked(`"\u006dessages":[]`), 400},
		{"a nested member twice", messages(`{"role":"user","role":"user","content":"x"}`), 400},
		{"a member in another case", `{"Messages":[` + message + `]}`, 400},
		{"a nested member in another case", messages(`{"Role":"user","Content":"x"}`), 422},
		{"both cases", asked(`"MESSAGES":[]`), 400},
		{"a member with NUL", asked(`"model\u0000":"x"`), 400},
		{"an empty name", asked(`"":1`), 400},
		{"a prototype", asked(`"__proto__":{"a":1}`), 400},
		{"a very long name", asked(`"` + strings.Repeat("n", 1<<20/scale) + `":1`), 400},
		{"100,000 members", "{" + strings.TrimSuffix(numbered(100_000), ",") + "}", 400},

		{"NaN", asked(`"temperature":NaN`), 400},
		{"Infinity", asked(`"temperature":Infinity`), 400},
		{"minus Infinity", asked(`"temperature":-Infinity`), 400},
		{"a huge number", asked(`"temperature":1e999`), 422},
		{"a tiny number", asked(`"temperature":1e-999`), 200},
		{"minus zero", asked(`"temperature":-0`), 200},
		{"a number with a leading zero", asked(`"temperature":01`), 400},
		{"a number with a plus", asked(`"temperature":+1`), 400},
		{"a hexadecimal number", asked(`"temperature":0x1`), 400},
		{"more than 64 bits", asked(`"max_tokens":18446744073709551616`), answered},
		{"much more than 64 bits", asked(`"seed":1` + strings.Repeat("0", 400)), 422},
		{"a million digits", asked(`"seed":` + strings.Repeat("9", 1<<20/scale)), 422},
		{"a million decimals", asked(`"temperature":0.` + strings.Repeat("1", 1<<20/scale)), 200},
		{"a negative length", asked(`"max_tokens":-9223372036854775808`), 422},

		{"10,000 deep", deep(10_000), 400},
		{"10,000 deep in a member", asked(`"tools":` + deep(10_000)), 400},
		{"10,000 deep and open", strings.Repeat(`{"a":[`, 10_000), 400},
		{"10 million deep", strings.Repeat("[", 10_000_000/scale), 400},
		{"100 deep in a tool's schema", asked(`"tools":[{"type":"function","function":{"name":"f","parameters":{"a":` + deep(100) + `}}}]`), 200},

		{"100,000 messages", messages(repeat(message, 100_000)), 422},
		{"1,000 messages", messages(repeat(message, 1000)), 200},
		{"a million numbers", messages(repeat("1", 1_000_000/scale)), 422},
		{"a million stops", asked(`"stop":[` + repeat(`"x"`, 1_000_000/scale) + `]`), 422},
		{"a million parts", messages(`{"role":"user","content":[` + repeat(`{"type":"text","text":"x"}`, 1_000_000/scale) + `]}`), 422},
		{"30 MB of text", messages(`{"role":"user","content":"` + strings.Repeat("x", 30<<20/scale) + `"}`), 400},
		{"30 MB of escapes", messages(`{"role":"user","content":"` + strings.Repeat(`\"`, 15<<20/scale) + `"}`), 400},
		{"30 MB of white space", "{" + strings.Repeat(" ", 30<<20/scale) + "}", 422},
	}
	t.Run("", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				conn := s.dial(t)
				began := time.Now()
				go io.WriteString(conn, request(http.MethodPost, "/chat/completions", c.body))
				r := bufio.NewReader(conn)
				a, err := read(r)
				switch {
				case err != nil:
					t.Fatal(err)
				case c.want == answered && a.status != http.StatusOK && a.status != http.StatusUnprocessableEntity, c.want != answered && a.status != c.want:
					t.Errorf("got %d %.300s, want %d", a.status, a.body, c.want)
				case a.status != http.StatusOK && inShape(a) != nil:
					t.Error(inShape(a))
				case a.status != http.StatusOK && len(a.body) > 64<<10:
					t.Errorf("the error has %d bytes", len(a.body))
				}
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("it took %s", took)
				}
				// A body that was read leaves the connection good.
				go io.WriteString(conn, ask())
				if a, err := read(r); err != nil || a.status != http.StatusOK {
					t.Errorf("the next request on the connection: got %+v, %v", a, err)
				}
			})
		}
	})
	s.works(t)
}

// numbered is n members with names of their own.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"m`)
		for d := i; ; d /= 26 {
			b.WriteByte(byte('a' + d%26))
			if d < 26 {
				break
			}
		}
		b.WriteString(`":1,`)
	}
	return b.String()
}
