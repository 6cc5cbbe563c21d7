package azureai

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// The members of the contract (doc/protocol.md §§3.1, 4.1, 5.1, 6.1), and those of OpenAI's that
// are ordinary below /inference and where no inference SDK is calling (doc/protocol.md §3.6).
var (
	chatMembers = dialect.NewMembers(`messages model frequency_penalty presence_penalty temperature top_p max_tokens max_completion_tokens
		response_format stop stream tools tool_choice seed modalities user_security_context`, "", "")
	chatOpenAI = dialect.NewMembers("n stream_options logprobs top_logprobs logit_bias user parallel_tool_calls reasoning_effort functions function_call",
		"metadata safety_identifier", "store service_tier prompt_cache_key prompt_cache_retention prompt_cache_options verbosity prediction")
	completeMembers = dialect.NewMembers("prompt model frequency_penalty presence_penalty max_tokens seed stop stream temperature top_p", "", "")
	completeOpenAI  = dialect.NewMembers("n best_of echo logprobs suffix logit_bias user stream_options", "", "")
	embedMembers    = dialect.NewMembers("input model dimensions encoding_format input_type", "", "")
	embedOpenAI     = dialect.NewMembers("user", "", "")
)

// contract reads the extra-parameters header (doc/protocol.md §3.6).
func (d *door) contract(r *http.Request, p place, version string, own, openAI dialect.Members) (request.Contract, error) {
	c := request.Contract{Wire: llm.WireInference, Refused: refused}
	extras, err := dialect.ReadExtras(r.Header, d.LegacyExtras)
	if err != nil {
		return c, err
	}
	c.MayDrop = extras.MayDrop
	c.Both = p.flavour == gitHub || !extras.Given && version == ""
	c.Admit = func(name string) request.Admission {
		if as, ok := own[name]; ok {
			return as
		}
		if as, ok := openAI[name]; ok && c.Both {
			return as
		}
		return extras.Unknown
	}
	return c, nil
}

// refused is the service's own sentence, which names the members and the way out.
func refused(names []string, _ jsonx.Value) *llm.Error {
	const most = 20
	quoted := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		quoted = append(quoted, "'"+dialect.Clip(n)+"'")
	}
	return &llm.Error{
		Kind:  llm.UnknownParam,
		Param: dialect.Clip(names[0]),
		Message: "Extra parameters [" + strings.Join(quoted, ", ") + "] are not allowed when extra-parameters is not set or set to be 'error'. " +
			"Set extra-parameters to 'pass-through' to pass to the model.",
	}
}
