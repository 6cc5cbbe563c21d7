package fault_test

import (
	"testing"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/client/internal/fault"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"error":{"code":"404","message":"Resource not found"}}`,
		`{"error":{"code":17,"details":[{"loc":["body",1],"msg":"m","input":{}}],"innererror":{"a":1}}}`,
		`{"statusCode":401,"message":"m"}`, `{"detail":"d"}`, `{"detail":[{"type":"t"}]}`, `{"status":"s"}`,
		`"text"`, "<html>\xff", `{"error":"x"}`, `{"error":[]}`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := fault.Parse(body)
		if len(got.Message) > 3*len(body)+3 {
			t.Errorf("a message of %d bytes of a body of %d", len(got.Message), len(body))
		}
		if utf8.Valid(body) && !utf8.ValidString(got.Message) {
			t.Errorf("message %q", got.Message)
		}
		if fault.Reported(body) && got.Code == "" && got.Message == "" && len(got.Details) == 0 {
			t.Errorf("an error that says nothing of %q", body)
		}
	})
}
