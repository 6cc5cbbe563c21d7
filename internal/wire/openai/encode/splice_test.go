package encode_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
)

// document writes a random object of the members of names, each with a value that only its bytes can tell, in random white space.
func document(r *rand.Rand, names []string) string {
	space := func() string { return []string{"", "", " ", "\n", "\t "}[r.IntN(5)] }
	var b strings.Builder
	b.WriteString(space() + "{" + space())
	for i, name := range names {
		if i > 0 {
			b.WriteString("," + space())
		}
		values := []string{"1.50", "1e400", "123456789012345678901234567890", `"\u0041\/"`, `{"a":{"b" :[]}, "c":1}`, "[ 1,[2] ]", "null", `"},{"`}
		b.WriteString(name + space() + ":" + space() + values[r.IntN(len(values))] + space())
	}
	return b.String() + "}" + space()
}

// compact is doc as the values of its root members by name, in their own bytes.
func compact(t *testing.T, doc string) map[string]string {
	t.Helper()
	v, err := jsonx.Parse([]byte(doc))
	if err != nil || v.Kind() != jsonx.Object {
		t.Fatalf("%s: %v", doc, err)
	}
	got := map[string]string{}
	for name, x := range v.Members() {
		got[strings.Clone(name)] = string(x)
	}
	return got
}

func TestASpliceChangesItsMembersAndNotAByteOfTheOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 4000 {
		all := []string{`"model"`, `"a"`, `"b"`, `"c"`, `"\u0061b"`, `"stream_options"`}
		r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		doc := document(r, all[:r.IntN(len(all)+1)])
		root, err := jsonx.ParseMembers([]byte(doc), 100)
		if err != nil {
			t.Fatal(err)
		}
		src := llm.Source{Body: []byte(doc), Members: root.Members}
		want := compact(t, doc)
		for n := r.IntN(4); n > 0; n-- {
			e := llm.Edit{Member: []string{"model", "a", "ab", "stream_options", "new"}[r.IntN(5)]}
			delete(want, e.Member)
			if r.IntN(2) == 0 {
				e.Value = fmt.Appendf(nil, `"v%d"`, n)
				want[e.Member] = string(e.Value)
			}
			src.Edits = append(src.Edits, e)
		}
		got := string(slices.Concat(encode.Splice(src)...))
		if d := cmp.Diff(want, compact(t, got)); d != "" {
			t.Fatalf("%s with %q became %s: %s", doc, src.Edits, got, d)
		}
		if len(src.Edits) == 0 && got != doc {
			t.Fatalf("%q became %q", doc, got)
		}
	}
}

func TestAPromptIsReferredToAndNotCopied(t *testing.T) {
	body, err := json.Marshal(map[string]any{"messages": strings.Repeat("x", 100<<10), "model": "a"})
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsonx.ParseMembers(body, 100)
	if err != nil {
		t.Fatal(err)
	}
	src := llm.Source{Body: body, Members: root.Members, Edits: []llm.Edit{{Member: "model", Value: []byte(`"b"`)}}}
	if n := testing.AllocsPerRun(100, func() { encode.Splice(src) }); n > 6 {
		t.Errorf("%v allocations", n)
	}
}
