package grammar_test

import (
	"testing"

	"github.com/ingot-llm/ingot/internal/schema/grammar"
)

func TestObjectTakesAnyObject(t *testing.T) {
	t.Parallel()
	if err := grammar.Object().Schema.Validate([]byte(`{"a":[{"b":null}]}`)); err != nil {
		t.Error(err)
	}
	if grammar.Object().Schema.Validate([]byte(`[]`)) == nil {
		t.Error("an array passed")
	}
}
