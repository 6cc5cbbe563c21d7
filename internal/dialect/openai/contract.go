package openai

import (
	"net/http"
	"slices"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/nearest"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// The members of the contract (doc/protocol.md §§3.1, 4.1, 5.1, 8.5.2).
var (
	chatMembers = members(`messages model frequency_penalty presence_penalty temperature top_p max_tokens max_completion_tokens
		response_format stop stream stream_options tools tool_choice parallel_tool_calls functions function_call seed n logprobs top_logprobs
		logit_bias user reasoning_effort modalities metadata user_security_context safety_identifier`,
		"store service_tier prompt_cache_key prompt_cache_retention prompt_cache_options verbosity prediction")
	completeMembers = members(`prompt model frequency_penalty presence_penalty max_tokens seed stop stream stream_options temperature top_p
		n best_of echo logprobs suffix logit_bias user`, "")
	embedMembers = members("input model dimensions encoding_format input_type user", "")
)

// members are those that are obeyed, and those that a target may leave out.
func members(obeyed, offered string) dialect.Members {
	m := dialect.NewMembers(obeyed, "", offered)
	for name, as := range m {
		if as == request.Drop {
			m[name] = request.Offer
		}
	}
	return m
}

// unavailable says why a member that OpenAI's contract has is refused.
var unavailable = map[string]string{
	"data_sources":       "On Your Data is not available here.",
	"web_search_options": "There is no web search here.",
	"audio":              "No model here answers with audio.",
	"moderation":         "Nothing is moderated here.",
}

// contract reads the header extra-parameters (doc/protocol.md §§3.6, 8.5.2).
func (q *question) contract(r *http.Request, own dialect.Members) (request.Contract, error) {
	c := request.Contract{Wire: q.wire}
	extras, err := dialect.ReadExtras(r.Header, q.LegacyExtras)
	if err != nil {
		return c, err
	}
	if !extras.Given && q.IgnoreUnknown {
		extras.Unknown = request.Drop
	}
	c.MayDrop = extras.MayDrop
	c.Admit = func(name string) request.Admission {
		if as, ok := own[name]; ok {
			return as
		}
		if unavailable[name] != "" && !extras.MayDrop {
			return request.Refuse
		}
		return extras.Unknown
	}
	c.Refused = func(names []string, _ jsonx.Value) *llm.Error { return refused(names[0], own) }
	return c, nil
}

// refused names a member that cannot be taken, and the way out.
func refused(name string, own dialect.Members) *llm.Error {
	clipped := dialect.Clip(name)
	if why := unavailable[name]; why != "" {
		return &llm.Error{Kind: llm.Unsupported, Param: clipped, Message: "Unsupported parameter: '" + clipped + "'. " + why}
	}
	known := make([]string, 0, len(own))
	for n := range own {
		known = append(known, n)
	}
	slices.Sort(known)
	hint := ""
	const short = len("top_k") // which is no top_p
	if near := nearest.Name(name, known); near != "" && len(name) > short {
		hint = " Did you mean '" + near + "'?"
	}
	return &llm.Error{
		Kind: llm.UnknownParam, Param: clipped,
		Message: "Unknown parameter: '" + clipped + "'." + hint + " The header extra-parameters: drop leaves out what is unknown, and pass-through hands it to the model.",
	}
}

// refuseSampling refuses what the service refuses for a model that reasons.
func refuseSampling(r *llm.ChatRequest) error {
	for _, m := range []struct {
		name  string
		given bool
		hint  string
	}{
		{"max_tokens", r.MaxTokens != nil && !r.CompletionTokens, " Use 'max_completion_tokens' instead."},
		{"temperature", r.Temperature != nil && *r.Temperature != 1, ""},
		{"top_p", r.TopP != nil && *r.TopP != 1, ""},
		{"presence_penalty", r.PresencePenalty != nil && *r.PresencePenalty != 0, ""},
		{"frequency_penalty", r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0, ""},
		{"logprobs", r.Logprobs, ""},
		{"logit_bias", r.LogitBias != nil, ""},
	} {
		if m.given {
			return &llm.Error{Kind: llm.Unsupported, Param: m.name, Message: "Unsupported parameter: '" + m.name + "' is not supported with this model." + m.hint}
		}
	}
	return nil
}
