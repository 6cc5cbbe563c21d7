package file

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
)

// fromYAML reads what is to be written as JSON: the same members in the same order.
func fromYAML(data []byte) (ordered, error) {
	var tree yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(data, &tree, yaml.UseOrderedMap()); err != nil {
		return ordered{}, fmt.Errorf("write configuration: %w", err)
	}
	return ordered{tree}, nil
}

// ordered is a value as goccy/go-yaml decodes it, which JSON has in the same order.
type ordered struct{ value any }

// MarshalJSON writes the members of a mapping as they come.
func (o ordered) MarshalJSON() ([]byte, error) {
	switch t := o.value.(type) {
	case yaml.MapSlice:
		out := []byte{'{'}
		for i, item := range t {
			name, err := json.Marshal(fmt.Sprint(item.Key))
			if err != nil {
				return nil, err
			}
			value, err := json.Marshal(ordered{item.Value})
			if err != nil {
				return nil, err
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(append(append(out, name...), ':'), value...)
		}
		return append(out, '}'), nil
	case []any:
		list := make([]ordered, len(t))
		for i, v := range t {
			list[i] = ordered{v}
		}
		return json.Marshal(list)
	}
	return json.Marshal(o.value)
}
