package route

import (
	"fmt"
	"slices"

	"github.com/ingot-llm/ingot/internal/llm"
)

// request is what the requests of all operations have in common.
type request[R any] interface {
	Needs() []llm.Need
	Without(member string) R
}

// fit returns the request as a target can take it, and the members that are not obeyed; or
// the error that names what the target cannot do and what may not be left out.
func fit[R request[R]](req R, env *llm.Envelope, target *llm.ModelInfo) (R, []string, error) {
	if err := tooMany(req, target); err != nil {
		return req, env.Dropped, err
	}
	dropped := env.Dropped
	drop := func(member string) {
		req = req.Without(member)
		dropped = append(slices.Clip(dropped), member)
	}
	var missing []llm.Need
	for _, n := range req.Needs() {
		switch {
		case target.Features.Has(n.Feature) || n.Loc == nil && slices.Contains(dropped, n.Member):
		case n.Loc != nil || !env.MayDrop:
			missing = append(missing, n)
		default:
			for _, member := range withCompanions(req, n.Member) {
				drop(member)
			}
		}
	}
	if len(missing) > 0 {
		return req, env.Dropped, unsupported(missing, target)
	}
	if len(env.Extra) == 0 || target.Features.Any {
		return req, dropped, nil
	}
	var forbidden []string
	for _, name := range env.ExtraNames() {
		switch {
		case slices.Contains(target.Features.Extra, name):
		case env.MayDrop || slices.Contains(env.Offered, name):
			drop(name)
		default:
			forbidden = append(forbidden, name)
		}
	}
	if len(forbidden) > 0 {
		return req, env.Dropped, extraForbidden(forbidden, env.Extra, target)
	}
	return req, dropped, nil
}

// tooMany refuses more inputs to embed than the target takes at once.
func tooMany(req any, target *llm.ModelInfo) error {
	r, ok := req.(*llm.EmbedRequest)
	if !ok || target.Inputs <= 0 || len(r.Items) <= target.Inputs {
		return nil
	}
	return llm.Faulty(llm.Detail{
		Type: "too_long", Loc: []any{"body", "input"},
		Msg: fmt.Sprintf("List should have at most %d items after validation, not %d", target.Inputs, len(r.Items)),
	})
}

// withCompanions lists a member and those that mean nothing without it.
func withCompanions(req any, member string) []string {
	members := []string{member}
	if r, ok := req.(*llm.ChatRequest); ok && member == "tools" {
		if r.ToolChoice != nil {
			members = append(members, "tool_choice")
		}
		if r.ParallelToolCalls != nil {
			members = append(members, "parallel_tool_calls")
		}
	}
	return members
}

func unsupported(missing []llm.Need, target *llm.ModelInfo) error {
	e := &llm.Error{Kind: llm.Unsupported, Param: missing[0].Member}
	for _, n := range missing {
		msg := fmt.Sprintf("Deployment '%s' does not support %s.", target.Deployment, subject(n))
		if e.Message == "" {
			e.Message = msg
		}
		loc := n.Loc
		if loc == nil {
			loc = []any{"body", n.Member}
		}
		e.Details = append(e.Details, llm.Detail{Type: "parameter_not_supported", Loc: loc, Msg: msg})
	}
	return e
}

// subject names a need in a sentence.
func subject(n llm.Need) string {
	var what string
	switch n.Feature {
	case llm.FeatureImages:
		what = "images"
	case llm.FeatureAudio:
		what = "audio"
	case llm.FeatureOpaque:
		what = "this type of content"
	case llm.FeatureTokens:
		what = "token ids"
	case llm.FeaturePrefix:
		what = "prefix"
	case llm.FeaturePairs:
		what = "texts with images"
	default:
		return "'" + n.Member + "'"
	}
	return what + " in '" + n.Member + "'"
}

func extraForbidden(names []string, extra llm.Extra, target *llm.ModelInfo) error {
	var details []llm.Detail
	for _, name := range names {
		details = append(details, llm.Detail{
			Type: "extra_forbidden", Msg: "Extra inputs are not permitted", Loc: []any{"body", name}, Input: extra[name],
		})
	}
	e := llm.Faulty(details...)
	e.Message = fmt.Sprintf("Extra inputs are not permitted: deployment '%s' does not take '%.200s'.", target.Deployment, names[0])
	return e
}
