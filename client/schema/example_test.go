package schema_test

import (
	"fmt"
	"log"

	"github.com/ingot-llm/ingot/client/schema"
)

func ExampleOf() {
	type forecast struct {
		City string `json:"city" jsonschema:"description=with its country"`
		Days int    `json:"days,omitempty" jsonschema:"minimum=1,maximum=7"`
	}
	document, err := schema.Of[forecast]()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(document))
	// Output: {"type":"object","properties":{"city":{"type":"string","description":"with its country"},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city"],"additionalProperties":false}
}

func ExampleStrict() {
	type forecast struct {
		City string `json:"city"`
		Days *int   `json:"days"` // nil where there is none to tell
	}
	document, err := schema.Strict[forecast]()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(document))
	// Output: {"type":"object","properties":{"city":{"type":"string"},"days":{"type":["integer","null"]}},"required":["city","days"],"additionalProperties":false}
}
