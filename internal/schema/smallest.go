package schema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The bounds of what Smallest makes and of the work it spends on it.
const (
	maxMade   = 1_000   // items or members of one value
	maxText   = 64_000  // characters of one string
	maxSize   = 1 << 18 // bytes of JSON text
	maxNested = 40      // arrays and objects in each other
	maxWork   = 50_000  // steps
)

// errWork ends a search that takes too long.
var errWork = errors.New("the search for an instance takes too many steps: simplify the alternatives")

// Smallest makes the instance with the shortest JSON text that it finds to
// satisfy the schema: required members only, arrays of minItems, numbers next
// to zero. Among equals the alternative listed first wins, and a schema that
// says nothing about the type is satisfied by {}. The result depends on the
// schema alone and was validated. What cannot be satisfied, or not within
// the bounds, is an *Error that names the keyword and its place.
func (s *Schema) Smallest() (json.RawMessage, error) {
	m := &maker{
		work:  maxWork,
		ids:   map[*jsonschema.Schema]int{},
		open:  map[string]bool{},
		known: map[string]any{},
	}
	v, err := m.make([]*jsonschema.Schema{s.root}, &taken{})
	if err != nil {
		if errors.Is(err, errWork) {
			err = fault(s.root, "", "%s", errWork)
		}
		return nil, err
	}
	text := encode(v)
	if err := s.Validate(text); err != nil {
		return nil, err
	}
	return text, nil
}

// maker searches for one instance.
type maker struct {
	work  int
	depth int
	cuts  int // times the search stopped at a schema it was already inside of
	ids   map[*jsonschema.Schema]int
	open  map[string]bool // what the search is inside of
	known map[string]any  // what was made without such a cut
}

// make finds the smallest value that satisfies all the schemas and equals none
// of avoid.
func (m *maker) make(all []*jsonschema.Schema, avoid *taken) (any, error) {
	key := m.key(all)
	if v, ok := m.known[key]; ok && len(avoid.values) == 0 {
		return v, nil
	}
	if m.open[key] || m.depth > maxNested {
		m.cuts++
		return nil, fault(all[0], "$ref", "the schema refers to itself without an end")
	}
	cuts := m.cuts
	m.open[key] = true
	m.depth++
	v, err := m.expand(all, slices.Clip(all), 0, avoid)
	m.depth--
	delete(m.open, key)
	if err == nil && len(avoid.values) == 0 && m.cuts == cuts {
		m.known[key] = v
	}
	return v, err
}

// key identifies a set of schemas.
func (m *maker) key(all []*jsonschema.Schema) string {
	ids := make([]int, 0, len(all))
	for _, s := range all {
		id, ok := m.ids[s]
		if !ok {
			id = len(m.ids)
			m.ids[s] = id
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return fmt.Sprint(slices.Compact(ids))
}

// expand adds to flat, from position i on, all schemas that hold for the same
// value, and tries each choice that they leave.
func (m *maker) expand(all, flat []*jsonschema.Schema, i int, avoid *taken) (any, error) {
	for ; i < len(flat); i++ {
		if m.work--; m.work < 0 {
			return nil, errWork
		}
		s := flat[i]
		if s.Bool != nil && !*s.Bool {
			return nil, fault(s, "", "nothing satisfies false")
		}
		flat = with(flat, append([]*jsonschema.Schema{s.Ref}, s.AllOf...))
		if choices := alternatives(s); len(choices) > 0 {
			return m.choose(all, flat, i+1, choices, avoid)
		}
	}
	names := required(flat)
	m.work -= len(names) / 2
	if more := dependents(flat, names); len(more) > 0 {
		return m.expand(all, with(flat, more), i, avoid)
	}
	return m.leaf(all, flat, avoid)
}

// choose tries the alternatives and keeps the smallest value. Once half of the
// work is spent the first value found is good enough.
func (m *maker) choose(all, flat []*jsonschema.Schema, i int, choices []choice, avoid *taken) (any, error) {
	const none = "no alternative can be satisfied: "
	var best any
	var failure error
	size := -1
	for _, c := range choices {
		v, err := m.expand(all, with(slices.Clone(flat), c.schemas), i, avoid)
		if err != nil {
			if errors.Is(err, errWork) {
				break
			}
			if failure == nil {
				failure = fault(c.from, c.keyword, "%s%v", none, err)
				if e, ok := errors.AsType[*Error](err); ok && strings.HasPrefix(e.Reason, none) {
					failure = fault(c.from, c.keyword, "%s", e.Reason)
				}
			}
			continue
		}
		if n := len(encode(v)); size < 0 || n < size {
			best, size = v, n
		}
		if m.work < maxWork/2 {
			break
		}
	}
	if size < 0 {
		return nil, cmp.Or(failure, errWork)
	}
	return best, nil
}

// choice is one way to satisfy a schema that leaves several.
type choice struct {
	from    *jsonschema.Schema
	keyword string
	schemas []*jsonschema.Schema
}

// alternatives lists the ways through anyOf, oneOf and if; where a schema has
// several of them, through all.
func alternatives(s *jsonschema.Schema) []choice {
	var ways []choice
	add := func(keyword string, sets ...[]*jsonschema.Schema) {
		before := ways
		if len(before) == 0 {
			before = []choice{{}}
		}
		ways = nil
		for _, way := range before {
			for _, set := range sets {
				ways = append(ways, choice{s, keyword, slices.Concat(way.schemas, set)})
			}
		}
		ways = ways[:min(len(ways), maxMade)]
	}
	if len(s.AnyOf) > 0 {
		add("anyOf", slices.Collect(slices.Chunk(s.AnyOf, 1))...)
	}
	if len(s.OneOf) > 0 {
		add("oneOf", slices.Collect(slices.Chunk(s.OneOf, 1))...)
	}
	if s.If != nil {
		add("if", nil, []*jsonschema.Schema{s.Else}, []*jsonschema.Schema{s.If, s.Then}, []*jsonschema.Schema{s.Then})
	}
	return ways
}

// with appends the schemas that are not in the list yet.
func with(flat, more []*jsonschema.Schema) []*jsonschema.Schema {
	for _, s := range more {
		if s != nil && !slices.Contains(flat, s) {
			flat = append(flat, s)
		}
	}
	return flat
}

// leaf makes the value once every choice is made: the shortest candidate of
// any possible type that passes.
func (m *maker) leaf(all, flat []*jsonschema.Schema, avoid *taken) (any, error) {
	var best any
	var failure error
	size := -1
	kinds, open := kinds(flat)
	for _, kind := range kinds {
		if open && size >= 0 {
			break
		}
		candidates, err := m.candidates(kind, flat, avoid)
		if err != nil {
			if errors.Is(err, errWork) {
				return nil, err
			}
			failure = cmp.Or(failure, err)
			continue
		}
		for _, c := range m.bySize(candidates) {
			if size >= 0 && len(c.text) >= size {
				break
			}
			if avoid.texts[c.text] {
				continue
			}
			if err := m.check(all, c.value); err != nil {
				if errors.Is(err, errWork) {
					return nil, err
				}
				failure = cmp.Or(failure, err)
				continue
			}
			best, size = c.value, len(c.text)
		}
	}
	switch {
	case size >= 0:
		return best, nil
	case failure == nil && len(avoid.values) > 0:
		return nil, fault(flat[0], "uniqueItems", "no further different value was found")
	case failure == nil:
		return nil, fault(flat[0], "type", "no type is left")
	}
	return nil, failure
}

// candidate is a value with its JSON text.
type candidate struct {
	value any
	text  string
}

// bySize orders values by the length of their text, equals as they came.
func (m *maker) bySize(values []any) []candidate {
	list := make([]candidate, 0, len(values))
	for _, v := range values {
		text := string(encode(v))
		m.work -= len(text) / 64
		list = append(list, candidate{v, text})
	}
	m.work -= len(values) / 4
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(len(a.text), len(b.text)) })
	return list
}

// check validates v against all that it must satisfy.
func (m *maker) check(all []*jsonschema.Schema, v any) error {
	for _, s := range all {
		m.work -= cost(s, v, max(m.work, 0)) + 1
		if m.work < 0 {
			return errWork
		}
		if err := s.Validate(v); err != nil {
			return invalid(err)
		}
	}
	return nil
}

// listed is the kind of a value that enum or const lists; the others are types.
const listed = "listed"

// kinds lists what the value may be: listed, or the types left by every type
// keyword; without one, those which the other keywords speak of; else any, and
// the first that will do is as good as another.
func kinds(flat []*jsonschema.Schema) (kinds []string, open bool) {
	types := []string{"object", "null", "string", "integer", "number", "boolean", "array"}
	var spoken []string
	typed := false
	for _, s := range flat {
		if s.Enum != nil || s.Const != nil {
			return []string{listed}, false
		}
		if s.Types != nil {
			typed = true
			here := s.Types.ToStrings()
			if slices.Contains(here, "number") {
				here = append(here, "integer")
			}
			types = slices.DeleteFunc(types, func(t string) bool { return !slices.Contains(here, t) })
		}
		spoken = append(spoken, speaksOf(s)...)
	}
	if typed || len(spoken) == 0 {
		return types, !typed
	}
	return spoken, false
}

// speaksOf lists the types that a schema's keywords are about.
func speaksOf(s *jsonschema.Schema) []string {
	var types []string
	if len(s.Properties)+len(s.Required)+len(s.PatternProperties) > 0 || s.MinProperties != nil ||
		s.AdditionalProperties != nil || s.PropertyNames != nil || s.MaxProperties != nil {
		types = append(types, "object")
	}
	if s.Items != nil || s.Items2020 != nil || len(s.PrefixItems) > 0 || s.MinItems != nil ||
		s.Contains != nil || s.UniqueItems || s.MaxItems != nil {
		types = append(types, "array")
	}
	if s.MinLength != nil || s.MaxLength != nil || s.Pattern != nil || s.Format != nil {
		types = append(types, "string")
	}
	if s.Minimum != nil || s.Maximum != nil || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil || s.MultipleOf != nil {
		types = append(types, "integer", "number")
	}
	return types
}

// candidates lists values of one kind, the smallest first.
func (m *maker) candidates(kind string, flat []*jsonschema.Schema, avoid *taken) ([]any, error) {
	switch kind {
	case listed:
		for _, s := range flat {
			if s.Const != nil {
				return []any{*s.Const}, nil
			}
		}
		for _, s := range flat {
			if s.Enum != nil {
				return s.Enum.Values, nil
			}
		}
	case "null":
		return []any{nil}, nil
	case "boolean":
		return []any{true, false}, nil
	case "integer":
		return numbers(flat, true, len(avoid.values)), nil
	case "number":
		return numbers(flat, false, len(avoid.values)), nil
	case "string":
		return m.texts(flat, len(avoid.values))
	case "array":
		return m.arrays(flat, avoid)
	case "object":
		return m.objects(flat, avoid)
	}
	return nil, fmt.Errorf("make %s: not a type", kind)
}

// encode is v as JSON, members sorted. The values are decoded JSON, or made
// here, so that it cannot fail.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// taken holds values that may not be made again.
type taken struct {
	values []any
	texts  map[string]bool
	size   int // of all texts
}

func (t *taken) add(v any) {
	if t.texts == nil {
		t.texts = map[string]bool{}
	}
	text := string(encode(v))
	t.values = append(t.values, v)
	t.texts[text] = true
	t.size += len(text)
}
