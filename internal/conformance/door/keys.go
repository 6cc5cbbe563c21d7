package door

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

const wrongKey = "not-the-key-of-anybody"

func keys() []check.Check {
	accepted := func(name, requires, breaks string, with ...func(key string) check.Option) check.Check {
		return check.Check{
			Name: "keys/" + name, Section: "2.3", Requires: requires, Breaks: breaks, Needs: []check.Feature{check.Chat},
			Run: func(t *check.T) {
				options := []check.Option{check.NoKey}
				for _, w := range with {
					options = append(options, w(t.Key))
				}
				t.Chat(check.Brief(), options...).OK()
			},
		}
	}
	header := func(name, before string) func(string) check.Option {
		return func(key string) check.Option { return check.Header(name, before+key) }
	}
	fixed := func(name, value string) func(string) check.Option {
		return func(string) check.Option { return check.Header(name, value) }
	}
	refused := func(name, requires, breaks string, send func(t *check.T) *check.Answer) check.Check {
		return check.Check{
			Name: "keys/" + name, Section: "7.4", Requires: requires, Breaks: breaks,
			Run: func(t *check.T) { send(t).Refused(http.StatusUnauthorized) },
		}
	}
	return []check.Check{
		accepted("api-key", "The key is accepted in the header api-key.",
			"AzureOpenAI clients, which send it nowhere else.", header("Api-Key", "")),
		accepted("bearer", "The key is accepted as `Authorization: Bearer KEY`.",
			"OpenAI's SDKs, curl and everything written for serverless endpoints.", header("Authorization", "Bearer ")),
		accepted("bearer-case", "The word Bearer is read in any case.",
			"Hand-written clients: the scheme is case-insensitive in HTTP.", header("Authorization", "bearer ")),
		accepted("bare", "The key is accepted as `Authorization: KEY`, without Bearer.",
			"The Java SDK, whose chat and embeddings builders send it so.", header("Authorization", "")),
		accepted("both", "The key is accepted in api-key and Authorization at once.",
			"The SDKs for Python, JavaScript and .NET, which send both.", header("Api-Key", ""), header("Authorization", "Bearer ")),
		accepted("empty-bearer", "An empty `Authorization: Bearer` beside the key in api-key counts for nothing.",
			"azure-ai-inference for Python, whose own tests send it.", header("Api-Key", ""), fixed("Authorization", "Bearer ")),
		accepted("any", "One right key is enough where the other header has a wrong one.",
			"Clients behind a proxy that puts its own Authorization.", header("Api-Key", ""), fixed("Authorization", "Bearer "+wrongKey)),
		accepted("any-bearer", "One right key is enough where api-key is wrong.",
			"Users whose environment still has another service's AZURE_API_KEY.", fixed("Api-Key", wrongKey), header("Authorization", "Bearer ")),
		refused("none", "A request without a key is answered 401 in the shape of all errors.",
			"azure-core raises ClientAuthenticationError for 401 only, and reads `error` only as an object.",
			func(t *check.T) *check.Answer { return t.Chat(nil, check.NoKey) }),
		refused("wrong", "A wrong key is answered 401.",
			"azure-core raises ClientAuthenticationError for 401 only.",
			func(t *check.T) *check.Answer {
				return t.Chat(nil, check.NoKey, check.Header("Api-Key", wrongKey), check.Header("Authorization", "Bearer "+wrongKey))
			}),
		refused("info", "/info needs the key, too.", "Operators: whoever finds the address learns what it serves.",
			func(t *check.T) *check.Answer { return t.Info(check.NoKey) }),
		refused("before-route", "Without a key an unknown path is answered 401, not 404.",
			"Operators: strangers could find out what is there.",
			func(t *check.T) *check.Answer {
				return t.Send(http.MethodPost, "/no/such/route", plainChat, check.NoKey)
			}),
		refused("before-method", "Without a key a wrong method is answered 401, not 405.",
			"Operators: strangers could find out what is there.",
			func(t *check.T) *check.Answer { return t.Send(http.MethodGet, chatPath, "", check.NoKey) }),
		refused("before-body", "Without a key a body that is no JSON is answered 401, not 400.",
			"Operators: strangers could make the endpoint read and parse.",
			func(t *check.T) *check.Answer { return t.Send(http.MethodPost, chatPath, "{", check.NoKey) }),
		{
			Name: "keys/message", Section: "7.4", Should: true,
			Requires: "The message of a 401 contains `auth token validation failed`.",
			Breaks:   "The Python SDK's own tests, and programs that look for this sentence.",
			Run: func(t *check.T) {
				m := t.Chat(nil, check.NoKey).Refused(http.StatusUnauthorized).At("error", "message")
				if m.Exists() && !strings.Contains(strings.ToLower(m.Text()), "auth token validation failed") {
					m.Fault("is %s", m)
				}
			},
		},
		{
			Name: "keys/flat", Section: "7.4", Should: true,
			Requires: "A 401 has statusCode and message at the top level, too.",
			Breaks:   "Clients written from the recordings of the serverless service.",
			Run: func(t *check.T) {
				v := t.Chat(nil, check.NoKey).Refused(http.StatusUnauthorized)
				v.At("statusCode").Is(http.StatusUnauthorized)
				v.At("message").NonEmpty()
			},
		},
		{
			Name: "keys/challenge", Section: "7.4", Should: true,
			Requires: "A 401 carries WWW-Authenticate: Bearer.",
			Breaks:   "Generic HTTP clients: a 401 without a challenge is no HTTP.",
			Run: func(t *check.T) {
				a := t.Chat(nil, check.NoKey)
				if a.Has(http.StatusUnauthorized) && !strings.HasPrefix(a.Header.Get("Www-Authenticate"), "Bearer") {
					t.Fault("WWW-Authenticate is %q", a.Header.Get("Www-Authenticate"))
				}
			},
		},
	}
}
