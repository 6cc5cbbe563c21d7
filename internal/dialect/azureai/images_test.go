package azureai_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/route"
)

// seer embeds images: each as the same eight numbers. What it is asked for is written down.
type seer struct {
	llm.Unimplemented
	usage llm.Usage
	err   error

	mu    sync.Mutex
	asked []string
}

func (s *seer) Embed(_ context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := []string{string(r.Operation()), string(r.Encoding), string(r.InputType)}
	if r.Dimensions != nil {
		asked = append(asked, strconv.Itoa(*r.Dimensions))
	}
	out := &llm.EmbedReply{Usage: &s.usage}
	for _, item := range r.Items {
		switch item := item.(type) {
		case llm.Picture:
			asked = append(asked, item.Image.URL.String()+fmt.Sprint(item.Image.Loc))
			if item.Text != nil {
				asked = append(asked, item.Text.String())
			}
		case llm.Text:
			asked = append(asked, item.String())
		case llm.Tokens:
		}
		out.Vectors = append(out.Vectors, []float32{1, -1, 0.5, -0.5, 0, 0, 0, -1})
	}
	s.asked = append(s.asked, strings.Join(asked, " "))
	return out, s.err
}

// gallery serves seers: one of images, one of images with texts and of texts, one of texts, and a chat mock.
func gallery(t *testing.T, s *seer, change func(*azureai.Options)) string {
	t.Helper()
	target := func(name string, f llm.Feature, ops ...llm.Operation) route.Deployment {
		return route.Deployment{Targets: []route.Target{{Backend: s, Info: llm.ModelInfo{
			Deployment: name, Model: name + "-1", Publisher: "Ingot", Provider: "mock", Operations: ops, Features: llm.Features{Set: f}, Inputs: 3,
		}}}}
	}
	rt := route.New([]route.Deployment{
		target("words", 0, llm.OpEmbed), target("eye", llm.FeatureInputType, llm.OpEmbedImages),
		target("both", llm.FeaturePairs|llm.FeatureInputType, llm.OpEmbed, llm.OpEmbedImages), target("talk", 0, llm.OpChat),
	}, "", route.Aliases{GitHubModels: true})
	return serve(t, azureai.Handler(options(rt, change)))
}

const (
	png     = `data:image/png;base64,iVBORw0KGgo=`
	floats  = `[1,-1,0.5,-0.5,0,0,0,-1]`
	oneUsed = `,"usage":{"prompt_tokens":7,"completion_tokens":0,"total_tokens":7,"images":1}}`
	seen    = "Deployments: words, eye, both, talk."
)

// embedded is an answer of embeddings.
func embedded(deployment, usage string, vectors ...string) string {
	var data []string
	for i, v := range vectors {
		data = append(data, fmt.Sprintf(`{"index":%d,"object":"embedding","embedding":%s}`, i, v))
	}
	return ok(deployment, `{"id":"ID","object":"list","model":"`+deployment+`-1","data":[`+strings.Join(data, ",")+`]`+usage)
}

func TestImagesAreEmbeddedAsTheContractSays(t *testing.T) {
	t.Parallel()
	s := &seer{usage: llm.Usage{Prompt: 7, Images: 1}}
	addr := gallery(t, s, nil)
	one := `{"input":[{"image":"` + png + `"}]}`
	as := func(encoding string) string {
		return post("/images/embeddings"+v2024, `{"input":[{"image":"`+png+`"}],"encoding_format":"`+encoding+`"}`)
	}
	none := func(model, what string) string {
		return refusal(404, "NotFound", "NOT FOUND: model '"+model+"' does not support "+what+".", "not_found_error", "", "x-ingot-deployment: "+model)
	}
	compare(t, addr, []exchange{
		{"at the root", post("/images/embeddings"+v2024, one), embedded("eye", oneUsed, floats)},
		{"at models", post("/models/images/embeddings"+v2024, one), embedded("eye", oneUsed, floats)},
		{"at inference", post("/inference/images/embeddings", one), embedded("eye", oneUsed, floats)},
		{"of an organisation", post("/orgs/contoso/inference/images/embeddings", one), embedded("eye", oneUsed, floats)},
		{"of a deployment", post("/deployments/both/images/embeddings"+v2024, one), embedded("both", oneUsed, floats)},
		{"with doubled slashes", post("//images//embeddings/"+v2024, one), embedded("eye", oneUsed, floats)},
		{"of a model that is named", post("/models/images/embeddings", `{"model":"both","input":[{"image":"`+png+`"}]}`), embedded("both", oneUsed, floats)},
		{"of a model of that time", post("/inference/images/embeddings", `{"model":"cohere/cohere-embed-v3-english","input":[{"image":"`+png+`"}]}`), embedded("eye", oneUsed, floats)},
		{"of an unknown one", post("/models/images/embeddings", `{"model":"x","input":[{"image":"`+png+`"}]}`), refusal(400, "unknown_model", "Unknown model: x. "+seen, wrongValue, "model")},
		{"by a header", post("/images/embeddings", one, "azureml-model-deployment: both"), embedded("both", oneUsed, floats)},
		{"float", as("float"), embedded("eye", oneUsed, floats)},
		{"base64", as("base64"), embedded("eye", oneUsed, `"AACAPwAAgL8AAAA/AAAAvwAAAAAAAAAAAAAAAAAAgL8="`)},
		{"int8", as("int8"), embedded("eye", oneUsed, `[127,-127,64,-64,0,0,0,-127]`)},
		{"uint8", as("uint8"), embedded("eye", oneUsed, `[255,1,192,64,128,128,128,1]`)},
		{"binary", as("binary"), embedded("eye", oneUsed, `[46]`)},    // 10101110 less 128
		{"ubinary", as("ubinary"), embedded("eye", oneUsed, `[174]`)}, // 10101110
		{
			"a batch with texts", post("/models/images/embeddings"+v2024, `{"model":"both","input":[{"image":"`+png+`","text":"a red square"},{"text":"","image":"https://example.com/a.png"},{"image":"`+png+`","text":null}],"dimensions":8,"input_type":"document"}`),
			embedded("both", oneUsed, floats, floats, floats),
		},
		{"texts of a model that does both", post("/models/embeddings"+v2024, `{"model":"both","input":"a"}`), embedded("both", oneUsed, floats)},
		{"images to a model of texts", post("/models/images/embeddings"+v2024, `{"model":"words","input":[{"image":"`+png+`"}]}`), none("words", "image embeddings")},
		{"images to a model that chats", post("/deployments/talk/images/embeddings"+v2024, one), none("talk", "image embeddings")},
		{"texts to a model of images", post("/deployments/eye/embeddings"+v2024, `{"input":["a"]}`), none("eye", "embeddings")},
		{"a chat with a model of images", post("/models/chat/completions"+v2024, `{"model":"eye",`+asked+`}`), none("eye", "chat completions")},
	})
	last := len(s.asked) - 2
	want := []string{"image_embeddings float document 8 " + png + "[body input 0 image] a red square https://example.com/a.png[body input 1 image] " + png + "[body input 2 image]", "embeddings float  a"}
	if d := cmp.Diff(want, s.asked[last:]); d != "" {
		t.Error(d)
	}
}

func TestTheUsageOfImagesIsWhatTheModelTells(t *testing.T) {
	t.Parallel()
	addr := gallery(t, &seer{usage: llm.Usage{Prompt: 9, Images: 2, Patches: 512}}, nil)
	compare(t, addr, []exchange{{
		"patches", post("/images/embeddings", `{"input":[{"image":"`+png+`"},{"image":"`+png+`"}]}`),
		embedded("eye", `,"usage":{"prompt_tokens":9,"completion_tokens":0,"total_tokens":9,"images":2,"prompt_patches":512,"total_patches":512}}`, floats, floats),
	}})
}

func TestWhatIsWrongWithImagesIsNamed(t *testing.T) {
	t.Parallel()
	addr := gallery(t, &seer{}, nil)
	sent := func(members string, headers ...string) string {
		return post("/images/embeddings"+v2024, "{"+members+"}", headers...)
	}
	// invalid is one fault of a value at place, which loc repeats in JSON.
	invalid := func(place, loc, typ, msg, input string, headers ...string) string {
		param, _, _ := strings.Cut(strings.ReplaceAll(place, "[", "."), ".")
		return unprocessable("Invalid input", "Invalid input: "+place+": "+msg+".", param, typ, msg, `"body",`+loc, input, headers...)
	}
	const (
		noList   = "Input should be a valid list"
		noObject = "Input should be a valid dictionary"
		noText   = "Input should be a valid string"
		noURL    = "Input should be an image as a data URL (data:image/png;base64,…) or at an https URL"
	)
	compare(t, addr, []exchange{
		{"no input", sent(""), invalid("input", `"input"`, "missing", "Field required", "null")},
		{"null", sent(`"input":null`), invalid("input", `"input"`, "list_type", noList, "null")},
		{"a text", sent(`"input":"a"`), invalid("input", `"input"`, "list_type", noList, `"a"`)},
		{"one image without a list", sent(`"input":{"image":"` + png + `"}`), invalid("input", `"input"`, "list_type", noList, `{"image":"`+png+`"}`)},
		{"an empty list", sent(`"input":[]`), invalid("input", `"input"`, "too_short", "List should have at least 1 item after validation, not 0", "[]")},
		{"a list of texts", sent(`"input":["a"]`), invalid("input[0]", `"input",0`, "dict_type", noObject, `"a"`)},
		{"an image that is missing", sent(`"input":[{"image":"` + png + `"},{"text":"a"}]`), invalid("input[1].image", `"input",1,"image"`, "missing", "Field required", "null")},
		{"an image that is null", sent(`"input":[{"image":null}]`), invalid("input[0].image", `"input",0,"image"`, "string_type", noText, "null")},
		{"an image that is an object", sent(`"input":[{"image":{"url":"a"}}]`), invalid("input[0].image", `"input",0,"image"`, "string_type", noText, `{"url":"a"}`)},
		{"base64 alone", sent(`"input":[{"image":"iVBORw0KGgo="}]`), invalid("input[0].image", `"input",0,"image"`, "url_parsing", noURL, `"iVBORw0KGgo="`)},
		{"a path", sent(`"input":[{"image":"file:///etc/hosts"}]`), invalid("input[0].image", `"input",0,"image"`, "url_parsing", noURL, `"file:///etc/hosts"`)},
		{"a text that is a number", sent(`"input":[{"image":"` + png + `","text":1}]`), invalid("input[0].text", `"input",0,"text"`, "string_type", noText, "1")},
		{"no dimensions", sent(`"dimensions":0,"input":[{"image":"` + png + `"}]`), invalid("dimensions", `"dimensions"`, "greater_than_equal", "Input should be greater than or equal to 1", "0")},
		{"another encoding", sent(`"encoding_format":"f32","input":[{"image":"` + png + `"}]`), invalid("encoding_format", `"encoding_format"`, "enum", "Input should be 'float', 'base64', 'binary', 'ubinary', 'int8' or 'uint8'", `"f32"`)},
		{"another input type", sent(`"input_type":"foo","input":[{"image":"` + png + `"}]`), invalid("input_type", `"input_type"`, "enum", "Input should be 'text', 'query' or 'document'", `"foo"`)},
		{
			"too many", sent(`"input":[{"image":"` + strings.TrimSuffix(strings.Repeat(`data:"},{"image":"`, 4), `,{"image":"`) + "]"),
			invalid("input", `"input"`, "too_long", "List should have at most 3 items after validation, not 4", `[{"image":"data:"},{"image":"data:"},{"image":"data:"},{"image":"data:"}]`, "x-ingot-deployment: eye"),
		},
		{
			"a text for a model that takes none", sent(`"input":[{"image":"` + png + `"},{"image":"` + png + `","text":"a"}]`),
			unprocessable("parameter_not_supported", "One of the parameters contains invalid values: input. Deployment 'eye' does not support texts with images in 'input'.", "input",
				"parameter_not_supported", "Deployment 'eye' does not support texts with images in 'input'.", `"body","input",1,"text"`, `"a"`, "x-ingot-deployment: eye"),
		},
		{"a member that the contract has not", sent(`"user":"u","input":[{"image":"` + png + `"}]`), extra("user", "'user'")},
		{"such a member without a version", post("/images/embeddings", `{"user":"u","input":[{"image":"`+png+`"}]}`), embedded("eye", `,"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}`, floats)},
		{"such a member dropped", sent(`"x":"u","input":[{"image":"`+png+`"}]`, "extra-parameters: drop"), strings.Replace(embedded("eye", `,"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}`, floats), "x-ingot-provider", "x-ingot-dropped: x\nx-ingot-provider", 1)},
		{"no JSON", post("/images/embeddings", `{"input":`), refusal(400, "invalid_json", "The request body is not valid JSON: unexpected end of the JSON document at byte 9.", wrongValue, "")},
	})
	broken := &seer{err: llm.Faulty(llm.Detail{Type: "value_error", Msg: "It is no image", Loc: []any{"body", "input", 1, "image"}})}
	compare(t, gallery(t, broken, nil), []exchange{{
		"what the model finds", sent(`"input":[{"image":"` + png + `"},{"image":"data:,"}]`),
		invalid("input[1].image", `"input",1,"image"`, "value_error", "It is no image", `"data:,"`, "x-ingot-attempts: 1", "x-ingot-deployment: eye", "x-ingot-provider: mock"),
	}})
}

func TestInfoTellsWhichClientIsMeant(t *testing.T) {
	t.Parallel()
	info := func(model, kind string) string {
		return "200\ncontent-type: application/json\nx-ingot-deployment: " + model + "\nx-ingot-provider: mock\n\n" +
			`{"model_name":"` + model + `-1","model_type":"` + kind + `","model_provider_name":"Ingot"}`
	}
	compare(t, gallery(t, &seer{}, nil), []exchange{
		{"images", get("/deployments/eye/info"), info("eye", "image_embeddings")},
		{"texts and images", get("/models/info?model=both"), info("both", "image_embeddings")},
		{"texts", get("/inference/info?model=words"), info("words", "embeddings")},
		{"chat first", get("/info"), info("talk", "chat_completion")},
	})
	compare(t, gallery(t, &seer{}, func(o *azureai.Options) { o.ServiceSpelling = true }), []exchange{
		{"images as the service says it", get("/deployments/eye/info"), info("eye", "embedding")},
		{"texts as the service says it", get("/deployments/words/info"), info("words", "embedding")},
	})
}
