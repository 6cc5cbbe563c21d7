package llm

import (
	"maps"
	"slices"
)

// Feature is something a request may need and a target may lack.
type Feature uint32

// The features.
const (
	FeatureTools Feature = 1 << iota
	FeatureFormat
	FeatureN
	FeatureLogprobs
	FeatureLogitBias
	FeatureParallelTools
	FeatureEffort
	FeatureImages
	FeatureAudio
	FeatureOpaque
	FeatureSuffix
	FeatureEcho
	FeatureBestOf
	FeatureTokens
	FeatureInputType
	FeatureAudioOutput
	FeaturePrefix
	FeaturePairs // a text with an image to embed
)

// Features is what a target can do, as data.
type Features struct {
	Set   Feature
	Extra []string // root members beyond the contract that the target obeys
	Any   bool     // it is asked about any extra member
}

// Has reports whether all of f is there.
func (s Features) Has(f Feature) bool { return s.Set&f == f }

// Need is one feature that a request asks for, and where.
type Need struct {
	Feature Feature
	Member  string // the root member
	Loc     []any  // the place of a part inside it; such a need is never dropped
}

// Needs lists what a target must be able to do.
func (r *ChatRequest) Needs() []Need {
	var ns []Need
	add := func(asked bool, f Feature, member string) {
		if asked {
			ns = append(ns, Need{Feature: f, Member: member})
		}
	}
	add(len(r.Tools) > 0, FeatureTools, "tools")
	// To call no tool, or none where there are none, takes no skill.
	add(r.ToolChoice != nil && r.ToolChoice.Mode != ToolNone && (len(r.Tools) > 0 || r.ToolChoice.Mode != ToolAuto), FeatureTools, "tool_choice")
	add(r.ParallelToolCalls != nil, FeatureParallelTools, "parallel_tool_calls")
	add(r.Format != nil && r.Format.Type != FormatText, FeatureFormat, "response_format")
	add(r.N != nil && *r.N > 1, FeatureN, "n")
	add(r.Logprobs, FeatureLogprobs, "logprobs")
	add(r.TopLogprobs != nil, FeatureLogprobs, "top_logprobs")
	add(r.LogitBias != nil, FeatureLogitBias, "logit_bias")
	add(r.ReasoningEffort != "", FeatureEffort, "reasoning_effort")
	add(r.AudioOutput, FeatureAudioOutput, "modalities")
	for i := range r.Messages {
		ns = partNeeds(ns, r.Messages[i].Parts)
	}
	if last := len(r.Messages) - 1; last >= 0 && r.Messages[last].Prefix && r.Messages[last].Role == Assistant {
		ns = append(ns, Need{FeaturePrefix, "messages", []any{"body", "messages", last, "prefix"}})
	}
	return ns
}

func partNeeds(ns []Need, parts []Part) []Need {
	for _, p := range parts {
		switch p := p.(type) {
		case Image:
			ns = append(ns, Need{FeatureImages, "messages", p.Loc})
		case Audio:
			ns = append(ns, Need{FeatureAudio, "messages", p.Loc})
		case Opaque:
			ns = append(ns, Need{FeatureOpaque, "messages", p.Loc})
		case ToolResult:
			ns = partNeeds(ns, p.Content)
		case Text, Reasoning, Refusal, ToolCall:
		}
	}
	return ns
}

// Needs lists what a target must be able to do.
func (r *CompleteRequest) Needs() []Need {
	var ns []Need
	add := func(asked bool, f Feature, member string) {
		if asked {
			ns = append(ns, Need{Feature: f, Member: member})
		}
	}
	add(r.Suffix != nil, FeatureSuffix, "suffix")
	add(r.Echo, FeatureEcho, "echo")
	add(r.N != nil && *r.N > 1, FeatureN, "n")
	add(r.BestOf != nil && *r.BestOf > 1, FeatureBestOf, "best_of")
	add(r.Logprobs != nil, FeatureLogprobs, "logprobs")
	add(r.LogitBias != nil, FeatureLogitBias, "logit_bias")
	return tokenNeeds(ns, r.Prompts, "prompt")
}

// Needs lists what a target must be able to do. Dimensions are the target's own to judge.
func (r *EmbedRequest) Needs() []Need {
	var ns []Need
	if r.InputType != "" && r.InputType != InputText {
		ns = append(ns, Need{Feature: FeatureInputType, Member: "input_type"})
	}
	for i, in := range r.Items {
		if p, ok := in.(Picture); ok && p.Text != nil {
			ns = append(ns, Need{FeaturePairs, "input", []any{"body", "input", i, "text"}})
			break
		}
	}
	return tokenNeeds(ns, r.Items, "input")
}

func tokenNeeds(ns []Need, inputs []Input, member string) []Need {
	for i, in := range inputs {
		if _, ok := in.(Tokens); ok {
			return append(ns, Need{FeatureTokens, member, []any{"body", member, i}})
		}
	}
	return ns
}

// Without returns a copy that lacks a root member, lists it as dropped, and keeps the caller's bytes.
func (r *ChatRequest) Without(member string) *ChatRequest {
	c := r.Edit()
	c.drop(&r.Envelope, member)
	switch member {
	case "tools":
		c.Tools = nil
	case "tool_choice":
		c.ToolChoice = nil
	case "parallel_tool_calls":
		c.ParallelToolCalls = nil
	case "response_format":
		c.Format = nil
	case "n":
		c.N = nil
	case "logprobs":
		c.Logprobs = false
	case "top_logprobs":
		c.TopLogprobs = nil
	case "logit_bias":
		c.LogitBias = nil
	case "reasoning_effort":
		c.ReasoningEffort = ""
	case "modalities":
		c.AudioOutput = false
	default:
		c.withoutExtra(member)
	}
	return c
}

// Without returns a copy that lacks a root member, lists it as dropped, and keeps the caller's bytes.
func (r *CompleteRequest) Without(member string) *CompleteRequest {
	c := r.Edit()
	c.drop(&r.Envelope, member)
	switch member {
	case "suffix":
		c.Suffix = nil
	case "echo":
		c.Echo = false
	case "n":
		c.N = nil
	case "best_of":
		c.BestOf = nil
	case "logprobs":
		c.Logprobs = nil
	case "logit_bias":
		c.LogitBias = nil
	default:
		c.withoutExtra(member)
	}
	return c
}

// Without returns a copy that lacks a root member, lists it as dropped, and keeps the caller's bytes.
func (r *EmbedRequest) Without(member string) *EmbedRequest {
	c := r.Edit()
	c.drop(&r.Envelope, member)
	if member == "input_type" {
		c.InputType = ""
	} else {
		c.withoutExtra(member)
	}
	return c
}

func (e *Envelope) withoutExtra(member string) {
	e.Extra = maps.Clone(e.Extra)
	delete(e.Extra, member)
}

// ExtraNames lists the extra members in order.
func (e *Envelope) ExtraNames() []string { return slices.Sorted(maps.Keys(e.Extra)) }
