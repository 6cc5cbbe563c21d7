package azureai_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
)

func TestADeploymentIsSelectedAsTheTableSays(t *testing.T) {
	t.Parallel()
	by := func(deployment, model string) string {
		return ok(deployment, `{"id":"ID","object":"chat.completion","created":NOW,"model":"`+model+`","choices":[{"index":0,"finish_reason":"length",`+
			`"message":{"role":"assistant","content":"","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`)
	}
	chat := func(path, model string, headers ...string) string {
		if model != "" {
			model = `"model":` + quote(model) + ","
		}
		return post(path+"/chat/completions"+v2024, `{`+model+`"max_tokens":0,`+asked+`}`, headers...)
	}
	gone := func(name string) string {
		return refusal(404, "DeploymentNotFound", "The API deployment '"+name+"' for this resource does not exist. "+allNames, "not_found_error", "")
	}
	unknown := func(name string) string {
		return refusal(400, "unknown_model", "Unknown model: "+name+". "+allNames, wrongValue, "model")
	}
	echo, gpt, words := by("echo", "parrot-1"), by("openai/gpt-4o", "parrot-2"), by(`"two words"`, "parrot-3")
	const header, mesh = "azureml-model-deployment: ", "x-ms-model-mesh-model-name: "
	compare(t, door(t, nil), []exchange{
		{"root, absent", chat("", ""), echo},
		{"root, known", chat("", "openai/gpt-4o"), gpt},
		{"root, known in another case", chat("", "OpenAI/GPT-4o"), gpt},
		{"root, unknown", chat("", "x"), echo},
		{"root, header", chat("", "", header+"openai/gpt-4o"), gpt},
		{"root, header before body", chat("", "two words", header+"openai/gpt-4o"), gpt},
		{"root, unknown header", chat("", "echo", header+"x"), gone("x")},
		{"root, mesh header", chat("", "", mesh+"openai/gpt-4o"), gpt},
		{"root, body before mesh header", chat("", "two words", mesh+"openai/gpt-4o"), words},
		{"root, unknown mesh header", chat("", "", mesh+"x"), echo},
		{"models, absent", chat("/models", ""), echo},
		{"models, known", chat("/models", "two words"), words},
		{"models, unknown", chat("/models", "x"), unknown("x")},
		{"models, unknown and streamed", post("/models/chat/completions", `{"stream":true,"model":"x",`+asked+`}`), unknown("x")},
		{"models, mesh header", chat("/models", "", mesh+"two words"), words},
		{"models, unknown mesh header", chat("/models", "", mesh+"x"), unknown("x")},
		{"models, body before mesh header", chat("/models", "two words", mesh+"x"), words},
		{"models, header before body", chat("/models", "x", header+"two words"), words},
		{"models, unknown header", chat("/models", "echo", header+"x"), gone("x")},
		{"deployments, body ignored", chat("/deployments/openai/gpt-4o", "two words"), gpt},
		{"deployments, unknown body ignored", chat("/deployments/openai/gpt-4o", "x"), gpt},
		{"deployments, header ignored", chat("/deployments/openai/gpt-4o", "", header+"x"), gpt},
		{"deployments, another case", chat("/deployments/ECHO", ""), echo},
		{"deployments, unknown", chat("/deployments/x", "echo"), gone("x")},
		{"deployments, an encoded slash", chat("/deployments/openai%2Fgpt-4o", ""), gpt},
		{"deployments, an encoded space", chat("/deployments/two%20words", ""), words},
		{"the default is the operation's", post("/embeddings", `{"input":""}`), unprocessable("Invalid input",
			"Invalid input: input: String should have at least 1 character.", "input", "string_too_short", "String should have at least 1 character", `"body","input"`, `""`)},
	})
	compare(t, door(t, nil), []exchange{{
		"a deployment that is called chat completes text", post("/deployments/chat/completions", `{"prompt":"a"}`),
		ok("chat", `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-8","choices":[{"index":0,"text":"a","finish_reason":"stop","logprobs":null}],`+
			`"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`),
	}})
	got := answer(t, door(t, nil), post("/embeddings", `{"input":"a","dimensions":1,"encoding_format":"ubinary"}`))
	if !strings.HasPrefix(got, "422") { // one bit is no byte: the vectors' model was asked, not the chat model
		t.Errorf("got %s", got)
	}
}

func TestPathsAreReadAsClientsWriteThem(t *testing.T) {
	t.Parallel()
	body := `{"max_tokens":0,` + asked + `}`
	good := ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"length",`+
		`"message":{"role":"assistant","content":"","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`)
	missing := func(hint string) string { return refusal(404, "404", noRoute+hint, "not_found_error", "") }
	twice := func(op string) string {
		return " The endpoint's address names an operation already: remove /" + op + " from it, the client appends its own."
	}
	meant := func(what string) string { return missing(" Did you mean " + what + "?") }
	wrong := func(op, method, allow string) string {
		return refusal(405, "MethodNotAllowed", "Method Not Allowed: "+op+" takes "+method+".", wrongValue, "", "allow: "+allow)
	}
	const gets, posts = "GET, HEAD, OPTIONS", "POST, OPTIONS"
	cases := []exchange{
		{"nothing", get("/"), missing("")},
		{"elsewhere", get("/v1/modest"), missing("")},
		{"a wrong case", post("/Chat/Completions", body), meant("POST /chat/completions")},
		{"dots", get("/models/../info"), meant("GET /models/info")},
		{"a text completion of a deployment called chat", post("/deployments/chat/completions", "{}"), unprocessable("Invalid input", "Invalid input: prompt: Field required.", "prompt", "missing", "Field required", `"body","prompt"`, "null")},
		{"no name at all", get("/deployments/info"), meant("GET /info")},
		{"an empty name", post("/deployments//chat/completions", body), meant("POST /chat/completions")},
		{"an empty name embeds no images", post("/deployments//images/embeddings", body), meant("POST /images/embeddings")},
		{"a bare base", get("/models"), meant("GET /v1/models")},
		{"the operation twice", post("/models/chat/completions/chat/completions", body), missing(twice("chat/completions"))},
		{"the operation twice at the root", post("/chat/completions/chat/completions/", body), missing(twice("chat/completions"))},
		{"the operation twice with doubled slashes", post("/models//embeddings//embeddings", body), missing(twice("embeddings"))},
		{"another operation after it", get("/models/chat/completions/info"), missing(twice("chat/completions"))},
		{"completions twice", post("/completions/completions", body), missing(twice("completions"))},
		{
			"the operation twice after a deployment", post("/deployments/echo/chat/completions/chat/completions", body),
			refusal(404, "DeploymentNotFound", "The API deployment 'echo/chat/completions' for this resource does not exist."+twice("chat/completions"), "not_found_error", ""),
		},
		{"info by POST", post("/info", body), wrong("info", "GET", gets)},
		{"chat by GET", get("/models/chat/completions"), wrong("chat/completions", "POST", posts)},
		{"completions by GET", get("/completions"), wrong("completions", "POST", posts)},
		{"embeddings by DELETE", strings.Replace(get("/embeddings"), "GET", "DELETE", 1), wrong("embeddings", "POST", posts)},
		{"images by GET", get("/models/images/embeddings"), wrong("images/embeddings", "POST", posts)},
		{"images twice", post("/images/embeddings/images/embeddings", body), missing(twice("images/embeddings"))},
		{"images to be made", post("/images/generations", body), missing("")},
		{"images without the s", post("/inference/image/embedding", body), meant("POST /inference/images/embeddings")},
		{"a deployment called images embeds text", post("/deployments/images/embeddings", "{}"), unprocessable("Invalid input", "Invalid input: input: Field required.", "input", "missing", "Field required", `"body","input"`, "null")},
		{"OpenAI's", post("/openai/chat/completions", body), meant("POST /chat/completions")},
		{"GitHub's with a letter missing", post("/inference/chat/completion", body), meant("POST /inference/chat/completions")},
		{"an organisation's", post("/orgs/contoso/chat/completions", body), meant("POST /chat/completions")},
		{"an organisation's models", get("/orgs/contoso/models/info"), meant("GET /info")},
		{"the catalogue by POST", post("/catalog/models", body), wrong("catalog/models", "GET", gets)},
		{"the catalogue elsewhere", get("/models/catalog/models"), meant("GET /catalog/models")},
		{"half the catalogue", get("/catalog"), meant("GET /catalog/models")},
		{"a managed endpoint's", post("/score", body), meant("POST /chat/completions")},
		{"without the s", post("/chat/completion", body), meant("POST /chat/completions")},
		{"without the s under models", post("/models/embedding", body), meant("POST /models/embeddings")},
		{"half of it", post("/deployments/echo/chat", body), meant("POST /deployments/echo/chat/completions")},
	}
	for _, path := range []string{
		"/chat/completions", "//chat/completions", "/chat//completions/", "/models/chat/completions//", "///models//chat/completions", "/deployments//echo//chat/completions",
		"/inference/chat/completions", "//inference//chat/completions/", "/orgs/contoso/inference/chat/completions",
	} {
		cases = append(cases, exchange{path, post(path+v2024, body), good})
	}
	addr := door(t, nil)
	compare(t, addr, cases)
}

func TestHEADAndOPTIONSAreAnswered(t *testing.T) {
	t.Parallel()
	with := func(method, request string) string { return strings.Replace(request, "GET", method, 1) }
	info := "200\ncontent-type: application/json\nx-ingot-deployment: echo\nx-ingot-provider: mock\n\n"
	allows := func(methods string) string { return "204\nallow: " + methods + "\n\n" }
	addr := door(t, nil)
	compare(t, addr, []exchange{
		{"HEAD of what GET has", with("HEAD", get("/info")), info},
		{"HEAD without a key", with("HEAD", get("/info", "api-key:none")), heads(401, "401", []string{"www-authenticate: Bearer"})},
		{"HEAD of what GET has not", with("HEAD", get("/nowhere")), heads(404, "404", nil)},
		{"HEAD where only POST is", with("HEAD", get("/chat/completions")), heads(405, "MethodNotAllowed", []string{"allow: POST, OPTIONS"})},
		{"OPTIONS of info", with("OPTIONS", get("/models/info")), allows("GET, HEAD, OPTIONS")},
		{"OPTIONS of an operation", with("OPTIONS", get("/chat/completions")), allows("POST, OPTIONS")},
		{"OPTIONS of a deployment's", with("OPTIONS", get("/deployments/echo/embeddings/")), allows("POST, OPTIONS")},
		{"OPTIONS of nothing", with("OPTIONS", get("/nowhere")), refusal(404, "404", noRoute, "not_found_error", "")},
		{"OPTIONS without a key", with("OPTIONS", get("/info", "api-key:none")), unauthorized()},
		{"a method of nobody's", with("BREW", get("/chat/completions")), refusal(405, "MethodNotAllowed", "Method Not Allowed: chat/completions takes POST.", wrongValue, "", "allow: POST, OPTIONS")},
	})
}

func TestAVersionIsReadAsTheContractSays(t *testing.T) {
	t.Parallel()
	info := "200\ncontent-type: application/json\nx-ingot-deployment: echo\nx-ingot-provider: mock\n\n" +
		`{"model_name":"parrot-1","model_type":"chat_completion","model_provider_name":"Ingot"}`
	unknown := func(v string) string {
		return refusal(404, "404", "Resource not found: there is no api-version '"+v+"'. The usual one is 2024-05-01-preview.", "not_found_error", "api-version")
	}
	missing := refusal(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.", wrongValue, "api-version")
	var lenient []exchange
	for _, v := range []string{
		"", "?api-version=", "?model=echo", "?api-version=2024-05-01-preview", "?api-version=2023-03-15", "?api-version=2030-12-31-preview",
		"?api-version=preview", "?api-version=latest", "?api-version=zzz&api-version=2024-05-01-preview", "?API-version=zzz",
	} {
		lenient = append(lenient, exchange{"lenient " + v, get("/info" + v), info})
	}
	for _, v := range []string{"zzz", "2024-05-01-beta", "2024-5-1", "2024-05-01-preview ", "v1", "2024-05-01-PREVIEW"} {
		at := "?api-version=" + strings.ReplaceAll(v, " ", "%20")
		lenient = append(lenient,
			exchange{"lenient " + v, get("/info" + at), unknown(v)},
			exchange{"lenient " + v + " of a chat", post("/models/chat/completions"+at, "{"), unknown(v)},
			exchange{"lenient, the last one counts: " + v, post("/embeddings"+v2024+"&"+at[1:], "{"), unknown(v)})
	}
	compare(t, door(t, nil), append(lenient,
		exchange{"after the key", get("/info?api-version=zzz", "api-key: x"), unauthorized()},
		exchange{"after the path", get("/nowhere?api-version=zzz"), refusal(404, "404", noRoute, "not_found_error", "")},
		exchange{"after the method", post("/info?api-version=zzz", ""), refusal(405, "MethodNotAllowed", "Method Not Allowed: info takes GET.", wrongValue, "", "allow: GET, HEAD, OPTIONS")},
		exchange{"a broken query is none", get("/info?api-version=%zz"), info},
	))
	strict := []exchange{
		{"strict, none", get("/info"), missing},
		{"strict, none of a chat", post("/chat/completions", hi), missing},
		{"strict, a blank one", post("/models/completions?api-version=", "{"), missing},
		{"strict, one of another API", post("/deployments/vectors/embeddings?api-version=2024-10-21", "{"), unknown("2024-10-21")},
		{"strict, a word", get("/info?api-version=latest"), unknown("latest")},
	}
	for _, v := range []string{"2024-04-01-preview", "2024-05-01-preview", "2024-08-01-preview", "2025-02-01-preview", "2025-04-01", "2025-05-01", "2025-05-01-preview", "2025-05-15-preview"} {
		strict = append(strict, exchange{"strict " + v, get("/info?api-version=" + v), info})
	}
	compare(t, door(t, func(o *azureai.Options) { o.StrictVersions = true }), strict)
}

func TestAKeyIsTakenFromEveryPlaceWhereClientsPutIt(t *testing.T) {
	t.Parallel()
	good := "200\ncontent-type: application/json\nx-ingot-deployment: echo\nx-ingot-provider: mock\n\n" +
		`{"model_name":"parrot-1","model_type":"chat_completion","model_provider_name":"Ingot"}`
	addr := door(t, nil)
	compare(t, addr, []exchange{
		{"api-key", get("/info", "api-key: sesame"), good},
		{"bearer", get("/info", "Authorization: Bearer sesame"), good},
		{"bearer in another case", get("/info", "authorization: bEARER   sesame"), good},
		{"bare", get("/info", "Authorization: sesame"), good},
		{"both", get("/info", "api-key: sesame", "Authorization: Bearer sesame"), good},
		{"a blank bearer and a key", get("/info", "Authorization: Bearer ", "api-key: sesame"), good},
		{"a blank key and a bearer", get("/info", "api-key:", "Authorization: Bearer sesame"), good},
		{"a wrong key and a right bearer", get("/info", "api-key: x", "Authorization: Bearer sesame"), good},
		{"a right key and a wrong bearer", get("/info", "api-key: sesame", "Authorization: Bearer x"), good},
		{"the second of two", get("/info", "api-key: x", "api-key: sesame"), good},
		{"none", get("/info", "api-key:none"), unauthorized()},
		{"blank ones", get("/info", "api-key: ", "Authorization: Bearer "), unauthorized()},
		{"a wrong one", get("/info", "api-key: sesam"), unauthorized()},
		{"a longer one", get("/info", "Authorization: Bearer sesame2"), unauthorized()},
		{"the scheme alone", get("/info", "Authorization: Bearer"), unauthorized()},
		{"another scheme", get("/info", "Authorization: Basic sesame"), unauthorized()},
		{"before the path is judged", get("/nowhere", "api-key: x"), unauthorized()},
		{"before the method is judged", post("/info", "", "api-key: x"), unauthorized()},
		{"before the body is read", post("/chat/completions", "{", "api-key: x", "Content-Type: x"), unauthorized()},
		{"before the deployment is looked up", get("/deployments/x/info", "api-key: x"), unauthorized()},
	})
}

func TestAHostIsJudgedAfterTheKeyAndBeforeAllElse(t *testing.T) {
	t.Parallel()
	refused := refusal(403, "PermissionDenied", "This endpoint listens on the machine itself and answers to its own address and localhost only, not to the Host of this request. Use http://localhost, or let it listen to the network (listen: 0.0.0.0:8080).", "permission_error", "")
	compare(t, door(t, func(o *azureai.Options) { o.AllowHost = func(host string) bool { return host == "localhost" } }), []exchange{
		{"without a key", get("/info", "api-key: x"), unauthorized()},
		{"with a key", get("/info"), refused},
		{"before the path", get("/nowhere"), refused},
		{"before the method and the body", post("/info", "{"), refused},
		{"an allowed one", strings.Replace(get("/nowhere"), "Host: ingot", "Host: localhost", 1), refusal(404, "404", noRoute, "not_found_error", "")},
	})
}

func TestTheCallersOwnIDComesBackClean(t *testing.T) {
	t.Parallel()
	good := func(id string) string {
		h := "200\ncontent-type: application/json\nx-ingot-deployment: echo\nx-ingot-provider: mock\n"
		if id != "" {
			h += "x-ms-client-request-id: " + id + "\n"
		}
		return h + "\n" + `{"model_name":"parrot-1","model_type":"chat_completion","model_provider_name":"Ingot"}`
	}
	with := func(id string) string { return get("/info", "x-ms-client-request-id: "+id) }
	long := strings.Repeat("0123456789", 30)
	compare(t, door(t, nil), []exchange{
		{"a GUID", with("382dcf4c-e717-11f1-bd2a-02fc00000001"), good("382dcf4c-e717-11f1-bd2a-02fc00000001")},
		{"what may not be echoed", with("a b<c>\tÄ_é;d"), good("abc_d")},
		{"too long", with(long), good(long[:40])},
		{"nothing is left", with("äöü"), good("")},
		{"an id of the caller's for the service is not taken", get("/info", "x-request-id: 1"), good("")},
	})
}
