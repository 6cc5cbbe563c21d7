package door

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

func bodies() []check.Check {
	malformed := func(name, requires, text string, should bool) check.Check {
		return check.Check{
			Name: "body/" + name, Section: "7.3", Should: should, Requires: requires,
			Breaks: "Clients that made a mistake: they need a reason, and no answer to something that they did not mean.",
			Run: func(t *check.T) {
				t.Send(http.MethodPost, chatPath, text).Refused(http.StatusBadRequest, http.StatusUnprocessableEntity)
			},
		}
	}
	taken := func(name, requires, breaks string, should bool, o check.Option) check.Check {
		return check.Check{
			Name: "body/" + name, Section: "2.1", Should: should, Requires: requires, Breaks: breaks,
			Run: func(t *check.T) { t.Chat(check.Brief(), o).OK() },
		}
	}
	const many = 10_000
	return check.For(check.Chat, []check.Check{
		{
			Name: "body/malformed", Section: "7.3",
			Requires: "A body that is no JSON is answered 400 in the shape of all errors.",
			Breaks:   "Clients that retry 5xx: azure-core repeats a 500 four times.",
			Run: func(t *check.T) {
				t.Send(http.MethodPost, chatPath, `{"messages":[{"role":"user","content":"x"}`).Refused(http.StatusBadRequest)
			},
		},
		malformed("array", "A body that is a list is refused.", `[]`, false),
		malformed("null", "A body that is null is refused.", `null`, false),
		malformed("blank", "A body of white space is refused.", ` `, false),
		malformed("second-document", "A second document in the body is refused.", plainChat+plainChat, true),
		malformed("duplicate-member", "A member that is given twice is refused.", `{"max_tokens":1,"max_tokens":4,`+plainChat[1:], true),
		malformed("not-utf8", "A body that is not UTF-8 is refused.", "{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}", true),
		malformed("deep", "A list in 10,000 lists is refused.", `{"messages":`+strings.Repeat("[", many)+strings.Repeat("]", many)+`}`, false),
		taken("type-parameters", "Content-Type may have parameters.",
			"The Java SDK and others, which send `; charset=UTF-8`.", false, check.Header("Content-Type", "application/json; charset=UTF-8")),
		taken("type-missing", "JSON without a Content-Type is accepted.",
			"Hand-written clients.", true, check.Header("Content-Type", "")),
		taken("type-text", "JSON as text/plain is accepted.",
			"Pages that avoid a preflight, and hand-written clients.", true, check.Header("Content-Type", "text/plain")),
		taken("accept", "Whatever Accept says, JSON is answered.",
			"Clients that were written for something else than JSON.", true, check.Header("Accept", "text/html")),
		{
			Name: "body/gzip", Section: "2.1", Should: true,
			Requires: "A body in gzip is taken.",
			Breaks:   "Clients and proxies that compress long conversations.",
			Run: func(t *check.T) {
				t.Chat(check.Brief(), check.Compressed).OK()
			},
		},
		{
			Name: "body/coding", Section: "2.1", Should: true,
			Requires: "A coding that the server does not know is answered 415.",
			Breaks:   "Clients that compress otherwise are told that their JSON is wrong.",
			Run: func(t *check.T) {
				t.Chat(check.Brief(), check.Header("Content-Encoding", "no-such-coding")).Refused(http.StatusUnsupportedMediaType)
			},
		},
		{
			Name: "body/media-type", Section: "7.7", Should: true,
			Requires: "multipart/form-data is answered 415.",
			Breaks:   "Users of upload clients are told that their JSON is wrong.",
			Run: func(t *check.T) {
				t.Send(http.MethodPost, chatPath, plainChat, check.Header("Content-Type", "multipart/form-data; boundary=x")).Refused(http.StatusUnsupportedMediaType)
			},
		},
		{
			Name: "body/too-large", Section: "7.7", Should: true,
			Requires: "A body that says of itself that it is of 1 TiB is answered 413, without waiting for it.",
			Breaks:   "Operators: anybody can fill the memory.",
			Run: func(t *check.T) {
				t.Send(http.MethodPost, chatPath, plainChat, check.Claim(1<<40)).Refused(http.StatusRequestEntityTooLarge)
			},
		},
	})
}
