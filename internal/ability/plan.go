package ability

import (
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/schema"
	"github.com/ingot-llm/ingot/internal/schema/grammar"
)

// plan is how one request is put to the model, and what its answer must be.
type plan struct {
	request *llm.ChatRequest
	member  string                       // the one that takes a grammar; empty: none does
	format  *grammar.Enforced            // what text must be; nil: anything
	tools   map[string]*grammar.Enforced // what may be called, and with what; nil: nothing
	must    bool                         // a call is demanded
	spelled bool                         // calls stand in the text
	thinks  bool                         // the answer begins inside a thought where nothing says how it begins
	stops   bool                         // a stop string may end the answer anywhere
	single  bool                         // there is one choice
	effort  grammar.Effort
}

// plan fails with the error that names the member which cannot be obeyed.
func (m *model) plan(r *llm.ChatRequest) (*plan, error) {
	p := &plan{request: r, thinks: m.thinks, stops: len(r.Stop) > 0, single: r.N == nil || *r.N <= 1}
	if err := p.demandFormat(r.Format); err != nil {
		return nil, err
	}
	offered, err := p.demandTools(r)
	if err != nil {
		return nil, err
	}
	out := r.Edit()
	p.request, p.spelled = out, len(offered) > 0
	out.Format, out.Tools, out.ToolChoice, out.ParallelToolCalls = nil, nil, nil, nil
	out.Messages = m.marks.messages(tidy(r.Messages))
	offered = m.marks.tools(offered)
	switch {
	case !m.tells:
		if err := spellable(r.Messages); err != nil {
			return nil, err
		}
		out.Messages = spell(out.Messages)
		if p.spelled {
			out.Messages = instruct(out.Messages, m.system, instruction(offered, p.must))
		}
	case p.spelled:
		// As a variable of the template's, and not as the engine's own tools, which would not take a grammar.
		out.Extra = maps.Clone(out.Extra)
		out.Extra.Keep("chat_template_kwargs", templateTools(offered))
	}
	if last := len(r.Messages) - 1; p.member != "" && last >= 0 && r.Messages[last].Prefix {
		msg := "A message cannot be continued where '" + p.member + "' says how the answer begins"
		return nil, &llm.Error{Kind: llm.Unsupported, Param: "messages", Message: msg + ".", Details: []llm.Detail{
			{Type: "parameter_not_supported", Loc: []any{"body", "messages", last, "prefix"}, Msg: msg},
		}}
	}
	parallel := r.ParallelToolCalls == nil || *r.ParallelToolCalls
	out.PlainGrammar = p.gbnf(offered, parallel)
	if !m.spaced {
		out.Grammar = p.lark(offered, parallel)
	}
	return p, nil
}

func (p *plan) demandFormat(f *llm.Format) (err error) {
	switch {
	case f == nil || f.Type == llm.FormatText:
		return nil
	case f.Type == llm.FormatJSON:
		p.format = grammar.Object()
	default:
		p.format, err = p.effort.Enforce(f.Schema, f.Strict != nil && *f.Strict)
	}
	p.member = "response_format"
	return refusal(err, "response_format", "json_schema", "schema")
}

// demandTools returns the tools that may be called.
func (p *plan) demandTools(r *llm.ChatRequest) ([]llm.Tool, error) {
	mode, name := llm.ToolAuto, ""
	if r.ToolChoice != nil {
		mode, name = r.ToolChoice.Mode, r.ToolChoice.Name
	}
	if len(r.Tools) == 0 || mode == llm.ToolNone {
		return nil, nil
	}
	p.member = "tools"
	p.must = mode == llm.ToolRequired || mode == llm.ToolNamed
	p.tools = map[string]*grammar.Enforced{}
	var offered []llm.Tool
	for i := range r.Tools {
		t := &r.Tools[i]
		if _, twice := p.tools[t.Name]; twice || mode == llm.ToolNamed && t.Name != name {
			continue
		}
		takes, err := p.effort.Enforce(parameters(t), t.Strict != nil && *t.Strict)
		if err := refusal(err, "tools", i, "function", "parameters"); err != nil {
			return nil, err
		}
		p.tools[t.Name] = takes
		offered = append(offered, *t)
	}
	return offered, nil
}

// parameters is the schema of a tool's arguments, which are an object whether the schema says so or not.
func parameters(t *llm.Tool) []byte {
	v := jsonx.Value(t.Parameters)
	members := 0
	for range v.Members() {
		members++
	}
	switch {
	case len(v) == 0:
		return []byte(`{"type":"object","properties":{},"additionalProperties":false}`)
	case members == 0:
		return []byte(`{"type":"object"}`)
	case v.Get("type").Kind() == jsonx.Absent:
		open := strings.IndexByte(string(v), '{')
		return []byte(`{"type":"object",` + string(v[open+1:]))
	}
	return v
}

// refusal names the place of the keyword in the request that cannot be obeyed.
func refusal(err error, at ...any) error {
	if err == nil {
		return nil
	}
	member, _ := at[0].(string)
	loc := append([]any{"body"}, at...)
	kind, msg := llm.Invalid, err.Error()
	if e, ok := errors.AsType[*schema.Error](err); ok {
		for token := range strings.SplitSeq(strings.TrimPrefix(e.Pointer, "/"), "/") {
			token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
			if n, err := strconv.Atoi(token); err == nil {
				loc = append(loc, n)
			} else if token != "" {
				loc = append(loc, token)
			}
		}
		msg = e.Reason
		if e.Keyword != "" {
			msg = "'" + e.Keyword + "'"
			if e.Pointer != "" {
				msg += " at " + e.Pointer
			}
			msg += ": " + e.Reason
			loc = append(loc, e.Keyword)
			kind = llm.Unsupported
		}
	}
	return &llm.Error{
		Kind: kind, Param: member, Message: "The schema in '" + member + "' cannot be enforced: " + msg + ".",
		Details: []llm.Detail{{Type: "value_error", Loc: loc, Msg: msg}},
	}
}
