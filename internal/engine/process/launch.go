package process

import (
	"context"
	"crypto/rand"
	_ "embed" // the launcher
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed launcher.py
var launcherSource string

// plan is how one attempt to start a child is made.
type plan struct {
	argv, env []string
	stdin     []byte // its first line of standard input
	port      int    // chosen by us; zero: the child tells its address
	key       string
}

func (s Spec) plan() (plan, error) {
	p := plan{env: environment(s.Env)}
	if s.Engine.Kind != Command {
		p.key = rand.Text()
	}
	switch s.Engine.Kind {
	case Xllamacpp:
		p.argv = []string{s.Engine.Python, "-I", "-B", "-u", "-c", launcherSource}
		settings, err := json.Marshal(map[string]any{"path": s.Engine.PythonPath, "params": s.params(p.key)})
		if err != nil {
			return plan{}, fmt.Errorf("encode settings: %w", err)
		}
		p.stdin = append(settings, '\n')
		return p, nil
	case LlamaServer, Command:
	default:
		return plan{}, fmt.Errorf("unknown kind of engine %q", s.Engine.Kind)
	}

	port, err := freePort()
	if err != nil {
		return plan{}, err
	}
	p.port = port
	if s.Engine.Kind == Command {
		words, err := Words(s.Command)
		if err != nil {
			return plan{}, err
		}
		for i, w := range words {
			words[i] = strings.ReplaceAll(w, "{port}", strconv.Itoa(port))
		}
		p.argv = words
		return p, nil
	}
	if len(s.Engine.Argv) == 0 {
		return plan{}, errors.New("no llama-server binary is named")
	}
	p.argv = append(append(p.argv, s.Engine.Argv...), s.flags(port)...)
	// Environment and not flags where an older binary may not know the flag.
	p.env = append(p.env, "LLAMA_API_KEY="+p.key, "LLAMA_ARG_SSE_PING_INTERVAL=-1",
		"LLAMA_ARG_CACHE_RAM="+strconv.Itoa(s.CacheMiB), "LLAMA_ARG_ENDPOINT_METRICS=1")
	return p, nil
}

// params are the fields of the extension's CommonParams.
func (s Spec) params(key string) map[string]any {
	slots := max(s.Slots, 1)
	m := map[string]any{
		"model.path":        s.ModelPath,
		"n_ctx":             s.Context * slots, // it is divided among the slots
		"n_parallel":        slots,
		"n_gpu_layers":      s.layers(),
		"fit_params":        s.GPULayers == AutoLayers,
		"hostnames":         []string{"127.0.0.1"},
		"port":              0,
		"api_keys":          []string{key},
		"use_jinja":         true,
		"embedding":         s.Embedding,
		"cache_ram_mib":     s.CacheMiB,
		"sse_ping_interval": -1, // a ping would pass for progress
		"endpoint_metrics":  true,
		"prefill_assistant": false, // a last message of the assistant's is continued where the request says so
		"ui":                false,
	}
	if s.Projector != "" {
		m["mmproj.path"] = s.Projector
	}
	if s.Threads > 0 {
		m["cpuparams.n_threads"], m["cpuparams_batch.n_threads"] = s.Threads, s.Threads
	}
	if s.Pooling != "" {
		m["pooling_type"] = "LLAMA_POOLING_TYPE_" + strings.ToUpper(s.Pooling)
	}
	if s.ChatTemplate != "" {
		m["chat_template"] = s.ChatTemplate
	}
	if n := s.batch(); n > 0 {
		m["n_batch"], m["n_ubatch"] = n, n
	}
	return m
}

func (s Spec) flags(port int) []string {
	slots := max(s.Slots, 1)
	f := []string{
		"--model", s.ModelPath, "--host", "127.0.0.1", "--port", strconv.Itoa(port),
		"--ctx-size", strconv.Itoa(s.Context * slots), "--parallel", strconv.Itoa(slots), "--jinja",
		"--no-prefill-assistant",
	}
	if s.GPULayers != AutoLayers {
		f = append(f, "--n-gpu-layers", strconv.Itoa(s.layers()))
	}
	if s.Projector != "" {
		f = append(f, "--mmproj", s.Projector)
	}
	if s.Threads > 0 {
		f = append(f, "--threads", strconv.Itoa(s.Threads), "--threads-batch", strconv.Itoa(s.Threads))
	}
	if s.Embedding {
		f = append(f, "--embeddings")
	}
	if s.Pooling != "" {
		f = append(f, "--pooling", s.Pooling)
	}
	if s.ChatTemplate != "" {
		f = append(f, "--chat-template", s.ChatTemplate)
	}
	if n := s.batch(); n > 0 {
		f = append(f, "--batch-size", strconv.Itoa(n), "--ubatch-size", strconv.Itoa(n))
	}
	return f
}

// layers is the engine's number: more than any model has means all of them.
func (s Spec) layers() int {
	switch s.GPULayers {
	case AllLayers:
		return 999
	case AutoLayers:
		return -1
	default:
		return s.GPULayers
	}
}

// batch is zero where the engine's own choice is right. Between batches the
// engine notices who hung up and serves the other slots, so on a slow processor
// they are short; but an embedding's input, and an image, must fit into one. Set, it is the size of the
// parts, too, that are computed at once: of an image larger than those the engine may die.
func (s Spec) batch() int {
	switch {
	case s.Batch > 0:
		return s.Batch
	case s.Embedding:
		return max(s.Context, 512)
	case s.Projector != "":
		return 1024
	case s.GPULayers == 0:
		return 64
	default:
		return 0
	}
}

// environment is the gateway's own without what is only its business.
func environment(extra []string) []string {
	ours := []string{"INGOT_", "LLAMA_ARG_", "LLAMA_MEDIA_MARKER="}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc(ours, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	})
	// An aborting child must die, not call a debugger.
	return append(append(env, "GGML_NO_BACKTRACE=1"), extra...)
}

// freePort asks the kernel for a port nobody listens on.
func freePort() (int, error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("find free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port // what ListenTCP returns
	return port, l.Close()
}

func taken(port int) bool {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err == nil {
		_ = l.Close()
	}
	return err != nil && addressInUse(err)
}

// launch starts a child and returns it once it has answered. After an error
// nothing of the child is left.
func launch(ctx context.Context, s Spec, logger *slog.Logger) (*child, error) {
	const attempts = 3 // somebody else may take the free port first
	for i := 1; ; i++ {
		p, err := s.plan()
		if err != nil {
			return nil, err
		}
		c, err := attempt(ctx, s, p, logger)
		if err == nil || i == attempts || p.port == 0 || ctx.Err() != nil || !taken(p.port) {
			return c, err
		}
		if _, died := errors.AsType[*Exited](err); !died {
			return c, err
		}
	}
}

func attempt(ctx context.Context, s Spec, p plan, logger *slog.Logger) (*child, error) {
	limit := s.Limits.filled().Start
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := spawn(p.argv, p.env, &tail{paths: []string{s.ModelPath, s.Projector, s.Engine.PythonPath}}, logger)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, r.kill) // it also ends a write that the child does not read
	err = r.becomeReady(ctx, s, p)
	cut := !stop()
	if err == nil && !cut {
		r.mu.Lock()
		r.isReady = true
		r.mu.Unlock()
		return &r.child, nil
	}
	r.kill()
	<-r.exited
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, &StartTimeout{After: limit, Stderr: r.stderr.copy()}
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, err
}

// becomeReady waits until the child has answered once.
func (r *running) becomeReady(ctx context.Context, s Spec, p plan) error {
	if len(p.stdin) > 0 {
		_, _ = r.stdin.Write(p.stdin) // a child that cannot read it is gone, and that is reported
	}
	r.Endpoint = Endpoint{URL: "http://127.0.0.1:" + strconv.Itoa(p.port), Key: p.key}
	if p.port == 0 {
		select {
		case line := <-r.said:
			var told struct{ URL string }
			u, err := url.Parse(line)
			if json.Unmarshal([]byte(line), &told) == nil {
				u, err = url.Parse(told.URL)
			}
			if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" {
				return fmt.Errorf("read address of the model server: it said %.200q", line)
			}
			r.URL = "http://" + u.Host
		case <-r.exited:
			return r.exit
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	probes := s.probes()
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-retry.C:
		case <-r.exited:
			return r.exit
		case <-ctx.Done():
			return ctx.Err()
		}
		answered, err := probe(ctx, r.Endpoint, probes[0])
		switch {
		case err != nil:
			select { // its end says more than a refused connection
			case <-r.exited:
				return r.exit
			default:
			}
			return err
		case answered && len(probes) == 1:
			return nil
		case answered:
			probes = probes[1:]
			retry.Reset(0)
		default:
			retry.Reset(25 * time.Millisecond)
		}
	}
}
