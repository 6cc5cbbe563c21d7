// Package probe finds out whether an engine works: it has it load tiny models of the kinds that
// are served, and answer.
package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library/tiny"
)

// Result is what an engine did with one model.
type Result struct {
	Model  string        // its architecture
	Asked  string        // what it was asked for
	Start  time.Duration // until it was ready
	Answer time.Duration // until it had answered
	Err    error         // nil: all is well
}

// Explain says why it failed, with the last words of the engine's standard error; paths of the machine are in them.
func (r Result) Explain() string {
	if r.Err == nil {
		return ""
	}
	var lines []string
	if e, ok := errors.AsType[*process.Exited](r.Err); ok {
		lines = e.Stderr
	}
	if e, ok := errors.AsType[*process.StartTimeout](r.Err); ok {
		lines = e.Stderr
	}
	const last = 5
	lines = lines[max(0, len(lines)-last):]
	return strings.Join(append([]string{r.Err.Error()}, lines...), "\n  ")
}

// Options are what Run needs besides the engine.
type Options struct {
	Logger *slog.Logger // nil: silent
	// Begin, if not nil, is called before each model, on the caller's goroutine.
	Begin func(model string)
}

// check is one model and the request that it must answer.
type check struct {
	model          tiny.Arch
	asked          string
	embeds         bool
	path           string
	request, reply string // the member of the reply that must be there
	text           string // what that member must say; empty: it is a list with something in it
}

// checks has one model of each family that the catalogue serves.
var checks = []check{
	{tiny.Llama, "one token", false, "/v1/completions", `{"prompt":"a","max_tokens":1,"temperature":0}`, "choices", ""},
	{tiny.Phi3, "one token", false, "/v1/completions", `{"prompt":"a","max_tokens":1,"temperature":0}`, "choices", ""},
	{tiny.BERT, "one embedding", true, "/v1/embeddings", `{"input":"a"}`, "data", ""},
	{tiny.Llama, "an answer held to a grammar", false, "/completion", `{"prompt":"a","n_predict":8,"temperature":0,"grammar":"root ::= \"ok\""}`, "content", "ok"},
}

// Run starts the engine once for each kind of model, asks it, and ends it. The error is nil when
// the checks could be made: what came of them is in the results.
func Run(ctx context.Context, e process.Engine, o Options) ([]Result, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := os.MkdirTemp("", "ingot-probe-")
	if err != nil {
		return nil, fmt.Errorf("probe engine: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var results []Result
	for _, c := range checks {
		path, err := tiny.File(dir, string(c.model)+".gguf", tiny.Options{Arch: c.model})
		if err != nil {
			return nil, fmt.Errorf("probe engine: write a model: %w", err)
		}
		if o.Begin != nil {
			o.Begin(string(c.model))
		}
		r := c.run(ctx, e, path, o.Logger)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		results = append(results, r)
	}
	return results, nil
}

func (c check) run(ctx context.Context, e process.Engine, path string, log *slog.Logger) Result {
	r := Result{Model: string(c.model), Asked: c.asked}
	const (
		patience = time.Minute
		context  = 128 // tokens
	)
	spec := process.Spec{
		Name: "probe", Engine: e, ModelPath: path, Context: context, Slots: 1, Threads: 1, Embedding: c.embeds,
		Limits: process.Limits{Start: patience, Silence: patience},
	}
	p := process.New(spec, process.Options{Logger: log})
	defer p.Kill()
	began := time.Now()
	lease, err := p.Ensure(ctx)
	r.Start = time.Since(began)
	if err != nil {
		r.Err = err
		return r
	}
	defer lease.Release()
	began = time.Now()
	r.Err = lease.Explain(ctx, c.ask(ctx, lease))
	r.Answer = time.Since(began)
	return r
}

// ask sends the request and looks for the member of the reply that answers it.
func (c check) ask(ctx context.Context, lease *process.Lease) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, lease.URL+c.path, bytes.NewReader([]byte(c.request)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := lease.Transport(&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the engine answered %s: %.200s", resp.Status, body)
	}
	var reply map[string]json.RawMessage
	if c.text != "" {
		var said string
		if json.Unmarshal(body, &reply) != nil || json.Unmarshal(reply[c.reply], &said) != nil || strings.TrimSpace(said) != c.text {
			return errors.New("the engine does not obey grammars, which tools and response_format need")
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(body, &reply) != nil || json.Unmarshal(reply[c.reply], &list) != nil || len(list) == 0 {
		return errors.New("the engine's answer is not understood: it is older or newer than what Ingot was tested with")
	}
	return nil
}
