package azureai

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

type members map[string]struct{}

func list(names string) members {
	m := members{}
	for n := range strings.FieldsSeq(names) {
		m[n] = struct{}{}
	}
	return m
}

// The members of the contract (doc/protocol.md §§3.1, 4.1, 5.1), and those of OpenAI's that
// are ordinary where no inference SDK is calling (doc/protocol.md §3.6).
var (
	chatMembers = list(`messages model frequency_penalty presence_penalty temperature top_p max_tokens max_completion_tokens
		response_format stop stream tools tool_choice seed modalities user_security_context`)
	chatOpenAI = ordinary("n stream_options logprobs top_logprobs logit_bias user parallel_tool_calls reasoning_effort",
		"metadata safety_identifier", "store service_tier prompt_cache_key verbosity prediction")
	completeMembers = list("prompt model frequency_penalty presence_penalty max_tokens seed stop stream temperature top_p")
	completeOpenAI  = ordinary("n best_of echo logprobs suffix logit_bias user stream_options", "", "")
	embedMembers    = list("input model dimensions encoding_format input_type")
	embedOpenAI     = ordinary("user", "", "")
)

// ordinary are members that are obeyed, that ask for nothing which an answer could show, and that are accepted but not
// obeyed, which the answer says.
func ordinary(obeyed, silent, dropped string) map[string]request.Admission {
	m := map[string]request.Admission{}
	for names, as := range map[string]request.Admission{obeyed: request.Take, silent: request.Ignore, dropped: request.Drop} {
		for name := range list(names) {
			m[name] = as
		}
	}
	return m
}

// contract reads the extra-parameters header (doc/protocol.md §3.6).
func (d *door) contract(r *http.Request, version string, own members, openAI map[string]request.Admission) (request.Contract, error) {
	c := request.Contract{Wire: llm.WireInference, Refused: refused}
	given := option(r.Header.Values("Extra-Parameters"))
	value := strings.ToLower(given)
	if d.LegacyExtras {
		switch value {
		case "ignore":
			value = "drop"
		case "allow":
			value = "pass-through"
		}
	}
	unknown := request.Refuse
	switch value {
	case "", "error":
	case "drop":
		unknown, c.MayDrop = request.Drop, true
	case "pass-through":
		unknown = request.Take
	default:
		return c, &llm.Error{
			Kind:  llm.UnknownParam,
			Param: "extra-parameters",
			Message: "Unexpected EXTRA_PARAMETERS option " + cut(given, 64) +
				", expected options are ['error', 'drop', 'pass-through']",
		}
	}
	both := value == "" && version == ""
	c.Admit = func(name string) request.Admission {
		if _, ok := own[name]; ok {
			return request.Take
		}
		if as, ok := openAI[name]; ok && both {
			return as
		}
		return unknown
	}
	return c, nil
}

// option is the one value that the lines of a header agree on, or all that they say.
func option(lines []string) string {
	all := strings.Join(lines, ",")
	one := ""
	for part := range strings.SplitSeq(all, ",") {
		switch part = strings.TrimSpace(part); {
		case part == "":
		case one != "" && !strings.EqualFold(one, part):
			return strings.TrimSpace(all)
		default:
			one = part
		}
	}
	return one
}

// refused is the service's own sentence, which names the members and the way out.
func refused(names []string, _ jsonx.Value) *llm.Error {
	const most = 20
	quoted := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		quoted = append(quoted, "'"+clip(n)+"'")
	}
	return &llm.Error{
		Kind:  llm.UnknownParam,
		Param: clip(names[0]),
		Message: "Extra parameters [" + strings.Join(quoted, ", ") + "] are not allowed when extra-parameters is not set or set to be 'error'. " +
			"Set extra-parameters to 'pass-through' to pass to the model.",
	}
}

// resolve finds the deployment (doc/protocol.md §8.6): by path, header azureml-model-deployment, body,
// header x-ms-model-mesh-model-name, and default, in this order. At the root an unknown name in the body is ignored.
func (d *door) resolve(r *http.Request, p place, op llm.Operation, model string) (llm.ModelInfo, error) {
	for _, name := range []string{p.deployment, r.Header.Get("Azureml-Model-Deployment")} {
		if name == "" {
			continue
		}
		if info, ok := d.Models.Lookup(name); ok {
			return info, nil
		}
		advice := " " + d.names()
		if p.deployment != "" && p.doubled != "" {
			advice = p.hint()
		}
		return llm.ModelInfo{}, &llm.Error{
			Kind:    llm.NoDeployment,
			Message: "The API deployment '" + clip(name) + "' for this resource does not exist." + advice,
		}
	}
	for _, name := range []string{model, r.Header.Get("X-Ms-Model-Mesh-Model-Name")} {
		if name == "" {
			continue
		}
		if info, ok := d.Models.Lookup(name); ok {
			return info, nil
		}
		if p.base == "models" {
			return llm.ModelInfo{}, &llm.Error{Kind: llm.UnknownModel, Param: "model", Message: "Unknown model: " + clip(name) + ". " + d.names()}
		}
	}
	if info, ok := d.Models.Default(op); ok {
		return info, nil
	}
	why := "Please provide a model name in the request body or as a x-ms-model-mesh-model-name header. " + d.names()
	if len(d.Models.List()) > 0 {
		why += " None of them does " + op.Title() + "."
	}
	return llm.ModelInfo{}, &llm.Error{Kind: llm.NoModel, Message: "No model specified in request. " + why}
}

// clip shortens a name for a message.
func clip(s string) string { return cut(s, 128) }

// cut shortens a text to n bytes at most, between two runes.
func cut(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// names lists the deployments for a message.
func (d *door) names() string {
	const most = 12
	var names []string
	for _, m := range d.Models.List() {
		names = append(names, m.Deployment)
	}
	if len(names) == 0 {
		return "There are no deployments."
	}
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return "Deployments: " + strings.Join(names, ", ") + "."
}
