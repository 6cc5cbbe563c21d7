package door

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

func routes() []check.Check {
	return []check.Check{
		{
			Name: "routes/unknown-path", Section: "7.5",
			Requires: "A path that the endpoint does not know is answered 404 in the shape of all errors.",
			Breaks:   "azure-core for Python raises ResourceNotFoundError without the reason; Wrong base URLs are what users ask about most.",
			Run:      func(t *check.T) { t.Send(http.MethodPost, "/no/such/route", plainChat).Refused(http.StatusNotFound) },
		},
		{
			Name: "routes/method", Section: "1.2", Needs: []check.Feature{check.Chat},
			Requires: "GET of /chat/completions is answered 405, with the methods that are taken in Allow.",
			Breaks:   "A person who opens the address in a browser is told of a server error or of a missing page.",
			Run: func(t *check.T) {
				a := t.Send(http.MethodGet, chatPath, "")
				if a.Refused(http.StatusMethodNotAllowed).Exists() && !strings.Contains(a.Header.Get("Allow"), http.MethodPost) {
					t.Fault("Allow is %q and does not name POST", a.Header.Get("Allow"))
				}
			},
		},
		{
			Name: "routes/method-info", Section: "1.2", Needs: []check.Feature{check.Info},
			Requires: "POST to /info is answered 405, with GET in Allow.",
			Breaks:   "Generic HTTP clients, which take the answer's Allow for what to do.",
			Run: func(t *check.T) {
				a := t.Send(http.MethodPost, "/info", "{}")
				if a.Refused(http.StatusMethodNotAllowed).Exists() && !strings.Contains(a.Header.Get("Allow"), http.MethodGet) {
					t.Fault("Allow is %q and does not name GET", a.Header.Get("Allow"))
				}
			},
		},
		{
			Name: "routes/head", Section: "1.2", Should: true, Needs: []check.Feature{check.Info},
			Requires: "HEAD of /info is answered like GET, without a body.",
			Breaks:   "Monitors that ask whether the endpoint is there.",
			Run: func(t *check.T) {
				a := t.Send(http.MethodHead, "/info", "")
				if a.Has(http.StatusOK) && len(a.Body) > 0 {
					t.Fault("a body came")
				}
			},
		},
		{
			Name: "routes/options", Section: "1.2", Should: true,
			Requires: "OPTIONS of /chat/completions is answered 204, with POST in Allow.",
			Breaks:   "Generic HTTP clients that ask what is taken.",
			Run: func(t *check.T) {
				a := t.Send(http.MethodOptions, chatPath, "")
				if a.Has(http.StatusNoContent, http.StatusOK) && !strings.Contains(a.Header.Get("Allow"), http.MethodPost) {
					t.Fault("Allow is %q and does not name POST", a.Header.Get("Allow"))
				}
			},
		},
		{
			Name: "routes/double-slash", Section: "1.2", Needs: []check.Feature{check.Chat},
			Requires: "A path with doubled slashes is served, and not redirected.",
			Breaks:   "Clients whose endpoint ends with a slash, Mistral's JavaScript SDK among them, lose a POST that is redirected.",
			Run:      func(t *check.T) { t.Send(http.MethodPost, "//chat//completions", body(t)).OK() },
		},
		{
			Name: "routes/trailing-slash", Section: "1.2", Needs: []check.Feature{check.Chat},
			Requires: "A slash at the path's end is accepted, and not redirected.",
			Breaks:   "Hand-written clients lose a POST that is redirected.",
			Run:      func(t *check.T) { t.Send(http.MethodPost, chatPath+"/", body(t)).OK() },
		},
		{
			Name: "routes/doubled", Section: "1.2", Should: true, Needs: []check.Feature{check.Chat},
			Requires: "A route that was appended to itself is answered 404 with a message that says what to remove.",
			Breaks:   "Users who paste the portal's target URI as the endpoint: every SDK appends the route again.",
			Run: func(t *check.T) {
				m := t.Send(http.MethodPost, chatPath+chatPath, body(t)).Refused(http.StatusNotFound).At("error", "message")
				if m.Exists() && !strings.Contains(m.Text(), "chat/completions") {
					m.Fault("does not name what is doubled: %s", m)
				}
			},
		},
	}
}

func versions() []check.Check {
	accepted := func(name, version, who string, should bool) check.Check {
		return check.Check{
			Name: "versions/" + name, Section: "1.3", Should: should, Needs: []check.Feature{check.Chat},
			Requires: "A chat with api-version " + version + " is answered.",
			Breaks:   who,
			Run:      func(t *check.T) { t.Chat(check.Brief(), check.Version(version)).OK() },
		}
	}
	return []check.Check{
		accepted("default", "2024-05-01-preview", "Every official SDK: this is their default.", false),
		accepted("2024-08-01", "2024-08-01-preview", "The Java SDK of beta.3, which asks for this version by default.", true),
		accepted("2025-04-01", "2025-04-01", "Foundry's samples that want reasoning_content in a member of its own.", true),
		accepted("2025-05-15", "2025-05-15-preview", "Clients made from the newest service specification.", true),
		accepted("azure-openai", "2024-10-21", "The inference SDKs where somebody set Azure OpenAI's version.", true),
		{
			Name: "versions/absent", Section: "1.3", Needs: []check.Feature{check.Chat},
			Requires: "A chat without api-version is answered, or refused with 400 MissingApiVersionParameter or 404.",
			Breaks:   "OpenAI's SDKs, litellm and curl, which send none: they need an answer or a reason.",
			Run: func(t *check.T) {
				t.Chat(check.Brief(), check.Version("")).OKOrRefused(http.StatusBadRequest, http.StatusNotFound)
			},
		},
		{
			Name: "versions/malformed", Section: "1.3", Should: true, Needs: []check.Feature{check.Chat},
			Requires: "An api-version that has no version's form is refused with 400 or 404.",
			Breaks:   "Users with a mistake in their address, which nobody tells them of.",
			Run: func(t *check.T) {
				t.Chat(check.Brief(), check.Version("newest")).Refused(http.StatusBadRequest, http.StatusNotFound)
			},
		},
		{
			Name: "versions/repeated", Section: "1.2", Should: true, Needs: []check.Feature{check.Chat},
			Requires: "Where api-version is given twice the last one counts.",
			Breaks:   "Users who paste an address with its query: the SDK appends its own.",
			Run: func(t *check.T) {
				t.Chat(check.Brief(), check.Query("api-version=zzz&api-version=2024-05-01-preview")).OK()
			},
		},
		{
			Name: "versions/other-parameters", Section: "1.2", Should: true, Needs: []check.Feature{check.Chat},
			Requires: "Other parameters of the query are ignored.",
			Breaks:   "Proxies that add a parameter of their own.",
			Run:      func(t *check.T) { t.Chat(check.Brief(), check.Query("x=1&api-version=2024-05-01-preview&y")).OK() },
		},
	}
}

// body is a chat with the deployment that is meant.
func body(t *check.T) string {
	return t.Chat(check.Brief()).Request.Body
}
