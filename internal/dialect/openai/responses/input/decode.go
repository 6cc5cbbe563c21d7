// Package input reads requests of the Responses API: each becomes a chat, and what its response repeats of it. Faults and members
// that are not obeyed are named as this API names them.
package input

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/nearest"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// The bounds of a request's own structure.
const (
	mostItems    = 16 << 10
	mostExtras   = 1024
	mostMetadata = 16
)

// Request asks for a response. It aliases its body.
type Request struct {
	Chat       llm.ChatRequest
	Previous   string // the response to go on from
	Store      *bool
	Background bool
	input      jsonx.Value
	found      map[string][]byte // items that the input refers to
	logprobs   bool
	echo       echo
}

// members are those of the root that are obeyed.
var members = []string{
	"background", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model", "parallel_tool_calls",
	"previous_response_id", "reasoning", "safety_identifier", "store", "stream", "stream_options", "temperature", "text", "tool_choice",
	"tools", "top_logprobs", "top_p", "truncation", "user",
}

// whyNot says of members that the API has and this endpoint has not why that is.
var whyNot = map[string]string{
	"conversation":       "there are no conversations here; send the earlier items in 'input'.",
	"prompt":             "there are no prompt templates here; send the text in 'input' and 'instructions'.",
	"context_management": "nothing is compacted here.",
	"moderation":         "nothing is moderated here.",
	"access_programs":    "there are no such programs here.",
	"background_options": "what runs in the background runs at once.",
	"image":              "images are taken as they are.",
}

// offered are members that chats have too: they go to a target which obeys them, and the answer names them where none did.
var offered = []string{"service_tier", "prompt_cache_key", "prompt_cache_retention"}

// chatWords are members of chat completions, which never go to a model beside our own of the same meaning.
var chatWords = []string{
	"messages", "functions", "function_call", "response_format", "max_tokens", "max_completion_tokens", "n", "logprobs", "logit_bias",
	"stop", "seed", "frequency_penalty", "presence_penalty", "reasoning_effort", "modalities", "audio", "prediction", "verbosity",
}

// Decode reads a request. The error is an *llm.Error: Malformed, UnknownParam, Unsupported or Invalid.
func Decode(body []byte, extras dialect.Extras) (*Request, error) {
	root, err := jsonx.Parse(body)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Malformed, Message: "The request body is not valid JSON: " + err.Error() + "."}
	}
	if root.Kind() != jsonx.Object {
		return nil, &llm.Error{Kind: llm.Malformed, Message: "The request body must be a JSON object."}
	}
	var f fields
	c := &Request{echo: echo{parallel: true}}
	c.Chat.MayDrop = extras.MayDrop
	var tools, choice jsonx.Value
	for name, v := range root.Members() {
		switch name {
		case "tools":
			tools = v
		case "tool_choice":
			choice = v
		default:
			if !v.Null() && !c.member(&f, name, v) {
				c.extra(&f, name, v, extras.Unknown)
			}
		}
		if f.err != nil {
			return nil, f.err
		}
	}
	c.tools(&f, tools, choice)
	c.Chat.Logprobs = c.logprobs
	if c.logprobs {
		c.Chat.TopLogprobs = c.echo.top
	}
	if f.err != nil {
		return nil, f.err
	}
	return c, nil
}

// member decodes a root member that has a value; false if it is none of those that are obeyed.
func (c *Request) member(f *fields, name string, v jsonx.Value) bool {
	r := &c.Chat
	switch name {
	case "model":
		r.Model = f.str(v, name)
	case "input":
		c.input = v
	case "instructions":
		f.text(v, name)
		c.echo.instructions = v
	case "max_output_tokens":
		r.MaxTokens = f.integer(v, 1, most, name)
		c.echo.limit, r.CompletionTokens = r.MaxTokens, true // thoughts are part of it
	case "temperature":
		r.Temperature = f.number(v, 0, 2, name)
		c.echo.temperature = r.Temperature
	case "top_p":
		r.TopP = f.number(v, 0, 1, name)
		c.echo.topP = r.TopP
	case "stream":
		r.Stream = or(f.boolean(v, name), false)
	case "store":
		c.Store = f.boolean(v, name)
	case "background":
		c.Background = or(f.boolean(v, name), false)
	case "previous_response_id":
		c.Previous, c.echo.previous = f.str(v, name), v
	case "parallel_tool_calls":
		r.ParallelToolCalls = f.boolean(v, name)
		c.echo.parallel = or(r.ParallelToolCalls, true)
	case "text":
		c.text(f, v)
	case "reasoning":
		c.reasoning(f, v)
	case "include":
		c.include(f, v)
	case "top_logprobs":
		c.echo.top = f.integer(v, 0, 20, name)
	case "metadata":
		f.metadata(v)
		c.echo.metadata = v
	case "user":
		r.User, c.echo.user = f.str(v, name), v
	case "safety_identifier":
		f.str(v, name)
		c.echo.safety = v
	case "truncation":
		if f.enum(v, []string{"auto", "disabled"}, name) == "auto" {
			c.Chat.Dropped = append(c.Chat.Dropped, name)
		}
	case "max_tool_calls": // of the service's own tools, of which there are none
		f.integer(v, 0, most, name)
		c.echo.toolCalls = v
	case "stream_options":
		if f.object(v, name) {
			f.only(v, []string{"include_obfuscation"}, name)
		}
	default:
		return false
	}
	return true
}

// or is *p, or the fallback where there is none.
func or[T any](p *T, fallback T) T {
	if p != nil {
		return *p
	}
	return fallback
}

// extra judges a member that is none of those that are obeyed.
func (c *Request) extra(f *fields, name string, v jsonx.Value, unknown request.Admission) {
	why, known := whyNot[name]
	switch {
	case slices.Contains(offered, name):
		c.offer(name, v)
	case unknown == request.Drop || name == "prompt_cache_options":
		c.Chat.Dropped = append(c.Chat.Dropped, dialect.Clip(name))
	case known:
		f.unsupported(why, name)
	case slices.Contains(chatWords, name):
		f.fail(llm.UnknownParam, "extra_forbidden", "Unknown parameter: '"+name+"'. Chat completions have it, responses do not.", name)
	case unknown != request.Take || len(c.Chat.Extra) == mostExtras:
		f.stranger(name)
	default:
		c.Chat.Extra.Keep(name, v)
	}
}

// stranger refuses a root member that nobody has heard of.
func (f *fields) stranger(name string) {
	clipped, hint := dialect.Clip(name), ""
	if near := nearest.Name(name, members); near != "" {
		hint = " Did you mean '" + near + "'?"
	}
	f.fail(llm.UnknownParam, "extra_forbidden", "Unknown parameter: '"+clipped+"'."+hint+
		" The header extra-parameters: drop leaves out what is unknown, and pass-through hands it to the model.", clipped)
}

func (c *Request) offer(name string, v jsonx.Value) {
	c.Chat.Extra.Keep(name, v)
	c.Chat.Offered = append(c.Chat.Offered, name)
}

func (c *Request) text(f *fields, v jsonx.Value) {
	if !f.object(v, "text") {
		return
	}
	f.only(v, []string{"format", "verbosity"}, "text")
	if verbosity := v.Get("verbosity"); !verbosity.Null() {
		f.enum(verbosity, []string{"low", "medium", "high"}, "text", "verbosity")
		c.offer("verbosity", verbosity)
	}
	form := v.Get("format")
	if form.Null() || !f.object(form, "text", "format") {
		return
	}
	kind := llm.FormatType(f.enum(form.Get("type"), []string{"text", "json_object", "json_schema"}, "text", "format", "type"))
	c.Chat.Format, c.echo.format = &llm.Format{Type: kind}, form
	if kind != llm.FormatSchema {
		f.only(form, []string{"type"}, "text", "format")
		return
	}
	f.only(form, []string{"type", "name", "schema", "strict", "description"}, "text", "format")
	out := c.Chat.Format
	out.Name = f.identifier(form.Get("name"), "text", "format", "name")
	out.Strict = f.boolean(form.Get("strict"), "text", "format", "strict")
	if s := form.Get("schema"); f.object(s, "text", "format", "schema") {
		out.Schema = []byte(s)
	}
	if d := form.Get("description"); !d.Null() {
		out.Description = new(f.text(d, "text", "format", "description"))
	}
}

func (c *Request) reasoning(f *fields, v jsonx.Value) {
	if !f.object(v, "reasoning") {
		return
	}
	for name, m := range v.Members() {
		if m.Null() {
			continue
		}
		switch name {
		case "effort":
			c.Chat.ReasoningEffort = f.enum(m, []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}, "reasoning", name)
			c.echo.effort = m
		case "summary", "generate_summary", "context", "mode": // thoughts are told as they are, and not sent back
			f.str(m, "reasoning", name)
			c.Chat.Dropped = append(c.Chat.Dropped, "reasoning."+name)
		default:
			f.unknown("reasoning", name)
		}
	}
}

// elsewhere are the values of include that belong to tools which are not here.
var elsewhere = []string{
	"file_search_call.results", "web_search_call.results", "web_search_call.action.sources", "computer_call_output.output.image_url",
	"code_interpreter_call.outputs",
}

func (c *Request) include(f *fields, v jsonx.Value) {
	const logprobs, images, encrypted = "message.output_text.logprobs", "message.input_image.image_url", "reasoning.encrypted_content"
	if !f.list(v, mostMetadata, "include") {
		return
	}
	for i, m := range v.Elements() {
		switch name := f.str(m, "include", i); {
		case name == logprobs:
			c.logprobs = true
		case name == images: // they always are
		case name == encrypted:
			c.Chat.Dropped = append(c.Chat.Dropped, "include."+encrypted)
		case slices.Contains(elsewhere, name):
			f.unsupported("there is no tool of that kind here.", "include", i)
		default:
			f.enum(m, append([]string{logprobs, images, encrypted}, elsewhere...), "include", i)
		}
	}
}

func (f *fields) metadata(v jsonx.Value) {
	const mostName, mostValue = 64, 512
	if !f.object(v, "metadata") {
		return
	}
	n := 0
	for name, m := range v.Members() {
		if n++; n > mostMetadata {
			f.fail(llm.Invalid, "too_long", "Invalid 'metadata': too many properties. Expected an object with at most 16 properties.", "metadata")
			return
		}
		if len([]rune(name)) > mostName {
			f.fail(llm.Invalid, "string_too_long", "Invalid 'metadata': a name is too long. Expected names of at most 64 characters.", "metadata")
		}
		f.sized(m, mostValue, "metadata", name)
	}
}

// tools decodes tools and tool_choice, which belong together.
func (c *Request) tools(f *fields, v, choice jsonx.Value) {
	if !v.Null() && f.list(v, message.MaxTools, "tools") {
		names := map[string]bool{}
		for i, t := range v.Elements() {
			tool := f.tool(t, i)
			if f.err != nil {
				return
			}
			if names[tool.Name] {
				f.fail(llm.Invalid, "value_error", "Invalid 'tools["+itoa(i)+"].name': an earlier tool has this name.", "tools", i, "name")
			}
			names[tool.Name] = true
			c.Chat.Tools = append(c.Chat.Tools, tool)
		}
	}
	c.echo.tools = c.Chat.Tools
	if !choice.Null() {
		c.choose(f, choice)
	}
	if len(c.Chat.Tools) == 0 { // it asks for nothing
		c.Chat.ParallelToolCalls = nil
	}
}

func (f *fields) tool(v jsonx.Value, i int) llm.Tool {
	var t llm.Tool
	if !f.object(v, "tools", i) {
		return t
	}
	if kind := f.str(v.Get("type"), "tools", i, "type"); kind != "function" {
		f.unsupported("tools of type '"+dialect.Clip(kind)+"' are not run here, only functions are told to the model.", "tools", i, "type")
		return t
	}
	t.Name = f.identifier(v.Get("name"), "tools", i, "name")
	for name, m := range v.Members() {
		if m.Null() {
			continue
		}
		switch name {
		case "type", "name":
		case "description":
			t.Description = new(f.text(m, "tools", i, name))
		case "parameters":
			if f.object(m, "tools", i, name) {
				t.Parameters = []byte(m)
			}
		case "strict":
			t.Strict = f.boolean(m, "tools", i, name)
		case "allowed_callers", "async", "defer_loading", "output_schema":
			f.unsupported("functions are called by the model, directly.", "tools", i, name)
		default:
			f.unknown("tools", i, name)
		}
	}
	return t
}

// choose decodes tool_choice. Of allowed_tools the model is told no others.
func (c *Request) choose(f *fields, v jsonx.Value) {
	const name = "tool_choice"
	c.echo.choice = v
	if v.Kind() == jsonx.String {
		c.Chat.ToolChoice = &llm.ToolChoice{Mode: llm.ChoiceMode(f.enum(v, []string{"none", "auto", "required"}, name))}
	} else if f.object(v, name) {
		switch kind := f.str(v.Get("type"), name, "type"); kind {
		case "function":
			f.only(v, []string{"type", "name"}, name)
			c.Chat.ToolChoice = &llm.ToolChoice{Mode: llm.ToolNamed, Name: f.identifier(v.Get("name"), name, "name")}
			c.known(f, c.Chat.ToolChoice.Name, name, "name")
		case "allowed_tools":
			f.only(v, []string{"type", "mode", "tools"}, name)
			c.Chat.ToolChoice = &llm.ToolChoice{Mode: llm.ChoiceMode(f.enum(v.Get("mode"), []string{"auto", "required"}, name, "mode"))}
			c.allow(f, v.Get("tools"))
		default:
			if f.err == nil {
				f.unsupported("there is no tool of type '"+dialect.Clip(kind)+"' here.", name, "type")
			}
		}
	}
	if c.Chat.ToolChoice != nil && c.Chat.ToolChoice.Mode == llm.ToolRequired && len(c.Chat.Tools) == 0 {
		f.fail(llm.Invalid, "value_error", "Tool choice 'required' must be specified with 'tools' parameter.", name)
	}
}

// known checks that a choice is one of the tools.
func (c *Request) known(f *fields, tool string, loc ...any) {
	if !slices.ContainsFunc(c.echo.tools, func(t llm.Tool) bool { return t.Name == tool }) {
		f.fail(llm.Invalid, "value_error", "Tool choice '"+dialect.Clip(tool)+"' not found in 'tools' parameter.", loc...)
	}
}

func (c *Request) allow(f *fields, v jsonx.Value) {
	if !f.list(v, message.MaxTools, "tool_choice", "tools") {
		return
	}
	allowed := map[string]bool{}
	for i, t := range v.Elements() {
		loc := []any{"tool_choice", "tools", i}
		at := func(name string) []any { return append(slices.Clip(loc), name) }
		if !f.object(t, loc...) {
			return
		}
		if kind := f.str(t.Get("type"), at("type")...); kind != "function" {
			f.unsupported("there is no tool of type '"+dialect.Clip(kind)+"' here.", at("type")...)
		}
		name := f.identifier(t.Get("name"), at("name")...)
		c.known(f, name, at("name")...)
		allowed[name] = true
	}
	c.Chat.Tools = slices.DeleteFunc(slices.Clone(c.Chat.Tools), func(t llm.Tool) bool { return !allowed[t.Name] })
}
