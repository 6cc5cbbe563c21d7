package door

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// loadable are the words that the Python SDK's load_client knows.
var loadable = strings.Split("chat_completion,chat_completions,chat,completion,chat-completion,chat-completions,chat completion,chat completions,"+
	"embeddings,embedding,text_embedding,text-embeddings,text embedding,text embeddings,"+
	"image_embeddings,image_embedding,image-embeddings,image-embedding,image embedding,image embeddings", ",")

func info() []check.Check {
	const word = "model_type"
	return []check.Check{
		{
			Name: "info/answer", Section: "6.2",
			Requires: "GET /info is answered 200.",
			Breaks:   "load_client of azure-ai-inference for Python, which asks it before anything else.",
			Run:      func(t *check.T) { t.Info().OK() },
		},
		{
			Name: "info/members", Section: "6.2",
			Requires: "model_name, model_type and model_provider_name are strings, and the first two are not empty.",
			Breaks:   "The typed SDKs: all three are required members of ModelInfo.",
			Run: func(t *check.T) {
				v := t.Info().OK()
				v.At("model_name").NonEmpty()
				v.At(word).NonEmpty()
				v.At("model_provider_name").Text()
			},
		},
		{
			Name: "info/type", Section: "6.2",
			Requires: "model_type of a chat or embedding model is a word that load_client knows, in lower case.",
			Breaks:   "load_client of azure-ai-inference for Python raises ValueError.",
			Run: func(t *check.T) {
				v := t.Info().OK().At(word)
				if s, _ := v.Raw().(string); s == "text_generation" || s == "image_generation" || s == "audio_generation" {
					return
				}
				v.OneOf(loadable...)
			},
		},
		{
			Name: "info/spelling", Section: "6.2", Should: true,
			Requires: "model_type is spelled as the SDKs' constants are: with an underscore.",
			Breaks:   "Programs that compare it with the SDK's ModelType.",
			Run: func(t *check.T) {
				t.Info().OK().At(word).OneOf("embeddings", "image_generation", "text_generation", "image_embeddings", "audio_generation", "chat_completion")
			},
		},
		{
			Name: "info/content-type", Section: "6.2",
			Requires: "/info answers application/json.",
			Breaks:   "azure-core decodes JSON by this type only.",
			Run: func(t *check.T) {
				a := t.Info()
				if a.OK().Exists() && a.MediaType() != "application/json" {
					t.Fault("Content-Type is %q", a.Header.Get("Content-Type"))
				}
			},
		},
		{
			Name: "info/model", Section: "6.2", Needs: []check.Feature{check.Names},
			Requires: "/info?model=NAME describes that deployment: it is answered.",
			Breaks:   "Clients of the service specification, which requires the parameter.",
			Run: func(t *check.T) {
				t.Info(check.Query("api-version=" + url.QueryEscape(t.Version) + "&model=" + url.QueryEscape(t.Subject.Chat))).OK().At("model_name").NonEmpty()
			},
		},
	}
}

func names() []check.Check {
	const nobody = "no-such-deployment"
	unknown := func(t *check.T, m check.M) *check.Answer {
		m["model"] = nobody
		return t.Chat(m)
	}
	// At the root a name that is unknown may be ignored, as by an endpoint of one model.
	refuse := func(t *check.T, a *check.Answer) {
		if t.AtModels() {
			a.Refused(http.StatusBadRequest, http.StatusNotFound)
		} else {
			a.OKOrRefused(http.StatusBadRequest, http.StatusNotFound)
		}
	}
	return check.For(check.Chat, []check.Check{
		{
			Name: "model/unknown", Section: "8.6",
			Requires: "Below /models an unknown model is refused with 400 or 404; elsewhere it may be ignored.",
			Breaks:   "Users who misspell a deployment get another model's answers.",
			Run:      func(t *check.T) { refuse(t, unknown(t, check.M{})) },
		},
		{
			Name: "model/unknown-stream", Section: "7.5",
			Requires: "The same where a stream was asked for: an ordinary error, no stream.",
			Breaks:   "azure-ai-inference for Python reports nothing for an error inside a stream.",
			Run:      func(t *check.T) { refuse(t, unknown(t, check.M{"stream": true})) },
		},
		{
			Name: "model/unknown-code", Section: "7.5", Should: true,
			Requires: "Where it is refused with 400 the code is unknown_model.",
			Breaks:   "Programs that tell a misspelled model from a wrong request.",
			Run: func(t *check.T) {
				if a := unknown(t, check.M{}); a.Status() == http.StatusBadRequest || t.AtModels() && a.Status() != http.StatusNotFound {
					a.JSON().At("error", "code").Is("unknown_model")
				}
			},
		},
		{
			Name: "model/case", Section: "8.3", Should: true, Needs: []check.Feature{check.Names},
			Requires: "A deployment's name is found whatever its case.",
			Breaks:   "Users of Foundry, which ignores it.",
			Run: func(t *check.T) {
				t.Chat(check.M{"model": strings.ToUpper(t.Subject.Chat), "max_tokens": 2}).OK()
			},
		},
		{
			Name: "model/mesh-header", Section: "2.1", Should: true, Needs: []check.Feature{check.Names},
			Requires: "Where the body names no model, x-ms-model-mesh-model-name does.",
			Breaks:   "Users who follow the advice of Azure's own error text.",
			Run: func(t *check.T) {
				t.Chat(check.M{"model": check.Absent, "max_tokens": 2}, check.Header("X-Ms-Model-Mesh-Model-Name", t.Subject.Chat)).OK()
			},
		},
		{
			Name: "model/deployment-header", Section: "8.6", Should: true, Needs: []check.Feature{check.Names},
			Requires: "azureml-model-deployment names the deployment; an unknown name is answered 404.",
			Breaks:   "Clients of managed endpoints, which choose a deployment by it.",
			Run: func(t *check.T) {
				const header = "Azureml-Model-Deployment"
				t.Chat(check.Brief(), check.Header(header, t.Subject.Chat)).OK()
				if !strings.Contains(t.Client.Base(), "/deployments/") { // there the path decides
					t.Chat(check.Brief(), check.Header(header, nobody)).Refused(http.StatusNotFound)
				}
			},
		},
	})
}

// special are the checks that need something to be arranged at the server.
func special() []check.Check {
	const patience = 64
	limited := func(t *check.T) *check.Answer {
		for n := range patience {
			a := t.Chat(check.M{"max_tokens": 1}, check.NoKey, check.Header("Api-Key", t.LimitedKey), check.Nth(n))
			if a.Status() != http.StatusOK {
				return a
			}
		}
		t.Fault("%d requests within a short time were all answered", patience)
		return nil
	}
	return []check.Check{
		{
			Name: "limits/status", Section: "7.9", Needs: []check.Feature{check.Limits},
			Requires: "Past its limit a key is answered 429 in the shape of all errors.",
			Breaks:   "Every SDK, which waits and tries again for this status.",
			Run: func(t *check.T) {
				if a := limited(t); a != nil {
					a.Refused(http.StatusTooManyRequests)
				}
			},
		},
		{
			Name: "limits/retry-after", Section: "7.9", Needs: []check.Feature{check.Limits},
			Requires: "429 carries Retry-After in whole seconds, at least 1.",
			Breaks:   "azure-core for Python and JavaScript repeat a POST only then.",
			Run: func(t *check.T) {
				if a := limited(t); a != nil && a.Has(http.StatusTooManyRequests) {
					if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 {
						t.Fault("Retry-After is %q", a.Header.Get("Retry-After"))
					}
				}
			},
		},
		{
			Name: "limits/retry-after-ms", Section: "7.9", Needs: []check.Feature{check.Limits},
			Requires: "429 carries retry-after-ms, too.",
			Breaks:   "OpenAI's SDKs and azure-core for JavaScript, which prefer it: they wait longer than they must.",
			Run: func(t *check.T) {
				if a := limited(t); a != nil && a.Has(http.StatusTooManyRequests) {
					if n, err := strconv.Atoi(a.Header.Get("Retry-After-Ms")); err != nil || n < 1 {
						t.Fault("retry-after-ms is %q", a.Header.Get("Retry-After-Ms"))
					}
				}
			},
		},
		{
			Name: "filter/prompt", Section: "7.6", Needs: []check.Feature{check.Filter},
			Requires: "A prompt that the content filter refuses is answered 400 with code content_filter.",
			Breaks:   "The .NET and Python samples, which compare this code.",
			Run: func(t *check.T) {
				for _, stream := range []bool{false, true} {
					t.Chat(check.M{"messages": check.L{check.User(t.FilterPrompt)}, "stream": stream}).Refused(http.StatusBadRequest).At("error", "code").Is("content_filter")
				}
			},
		},
	}
}
