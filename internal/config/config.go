// Package config turns one YAML file into a typed, validated and defaulted
// Config. It knows the file's shape and nothing of what is done with it.
package config

import (
	"math"
	"time"
)

// Forever is the KeepAlive of a model that is never unloaded.
const Forever = time.Duration(math.MaxInt64)

// Config is everything a file can say, complete and checked. It is not changed
// after Parse; whoever needs another one parses again.
type Config struct {
	Listen          string          `yaml:"listen" default:"127.0.0.1:8080" doc:"Address and port to listen on."`
	TLS             TLS             `yaml:"tls" words:"off,auto" doc:"What the port speaks besides plain HTTP: off, nothing; auto, TLS with a certificate of a local CA in the data folder; or TLS with the certificate in these files. With TLS, plain HTTP is for callers on this machine only."`
	DefaultModel    string          `yaml:"default_model" doc:"Model that answers where a request names none. An operation it cannot do falls to the first model in the file that can."`
	Keys            []Key           `yaml:"keys" doc:"Who may call. Without any, the development key of the data folder is the only one."`
	Models          []Model         `yaml:"models" doc:"The names callers use, on every surface. Order counts: see default_model."`
	Limits          Limits          `yaml:"limits" doc:"Sizes and times of a request, and how many may wait for a model."`
	Engine          Engine          `yaml:"engine" doc:"The local engine."`
	Reasoning       string          `yaml:"reasoning" enum:"content,field,hidden" doc:"Where a model's reasoning goes: into the content, into a field of its own, or nowhere. Without it the route and its api-version decide."`
	Info            Info            `yaml:"info" doc:"The answer of /info."`
	ExtraParameters ExtraParameters `yaml:"extra_parameters" doc:"The extra-parameters header."`
	APIVersions     string          `yaml:"api_versions" default:"lenient" enum:"lenient,strict" doc:"Which api-version a request may have: none or any date, or one of the published ones and no other."`
	CORS            CORS            `yaml:"cors" doc:"Which web pages may call from a browser."`
	Log             Log             `yaml:"log" doc:"What is logged, and how."`

	src source
}

// TLS says which certificate the endpoint shows. Where Cert and Key are set, Mode means nothing.
type TLS struct {
	Mode string `yaml:"-" default:"off" enum:"off,auto"`
	Cert string `yaml:"cert" required:"true" doc:"PEM file of the certificate and the chain that follows it. It is read again when it changes. A relative path begins at the folder of this file."`
	Key  string `yaml:"key" required:"true" doc:"PEM file of its private key."`
}

// On reports whether TLS is spoken.
func (t TLS) On() bool { return t.Mode == "auto" || t.Cert != "" }

// Key admits one caller. Exactly one of Key and File is set.
type Key struct {
	Name              string `yaml:"name" required:"true" doc:"Name of the caller, in logs and metrics."`
	Key               string `yaml:"key" secret:"true" doc:"The secret itself, best written as ${VARIABLE}. Each key has this or key_file."`
	File              string `yaml:"key_file" doc:"File that holds the secret and nothing else, such as a mounted one. It is read again when it changes. A relative path begins at the folder of this file."`
	RequestsPerMinute int    `yaml:"requests_per_minute" min:"0" doc:"Requests a minute; 0 is no limit."`
	Admin             bool   `yaml:"admin" default:"off" doc:"May also see the metrics from other machines."`
}

// KeyFiles are the files that hold keys.
func (c *Config) KeyFiles() (paths []string) {
	for _, k := range c.Keys {
		if k.File != "" {
			paths = append(paths, k.File)
		}
	}
	return paths
}

// Model is one name that callers use. Exactly one of Local, Command and
// Provider is set; Mock is set with Provider mock, and Model, Kind and Ready
// with Command.
type Model struct {
	Name     string `yaml:"-"`
	Local    string `yaml:"local" doc:"A model on this machine: a catalogue name, a path, or file:, hf:, pip:, https: and a source. A relative path begins at the folder of this file; NAME= before it gives the model another name than the file's."`
	Command  string `yaml:"command" secret:"inside" doc:"Command line of an OpenAI-shaped server to start and supervise; {port} stands for the port it must listen on."`
	Provider string `yaml:"provider" enum:"mock" doc:"Where the model is answered from."`

	Model     string        `yaml:"model" for:"command" doc:"The model name that server expects; the deployment's name where absent."`
	Kind      string        `yaml:"kind" for:"command" enum:"chat,embedding" doc:"What that server does; chat where absent."`
	Ready     string        `yaml:"ready" for:"command" doc:"Path that answers 200 once that server is ready; /health where absent."`
	Context   *int          `yaml:"context" for:"local,command" min:"1" doc:"Tokens one request may use, prompt and answer together; what the model was trained for where absent, 8192 at most."`
	Slots     *int          `yaml:"slots" for:"local,command" min:"1" doc:"Requests answered at the same time; where absent 2 for chat, 4 for embeddings and 16 for a command."`
	Threads   *int          `yaml:"threads" for:"local" min:"1" doc:"CPU threads; where absent the physical cores, less one on a busy machine."`
	GPULayers *Layers       `yaml:"gpu_layers" for:"local" doc:"Layers to put on the GPU: all, or a number; where absent as many as fit."`
	KeepAlive time.Duration `yaml:"keep_alive" for:"local,command" default:"10m" word:"forever" doc:"How long an idle model stays loaded: a duration, 0s to unload at once, or forever."`
	System    *string       `yaml:"system" for:"local" doc:"System prompt where the caller sends none; empty for none at all, the catalogue's where absent."`
	Inputs    int           `yaml:"inputs" default:"2048" min:"1" max:"8192" doc:"Most inputs of one request for embeddings; more is refused with 422."`
	Queue     *int          `yaml:"queue" min:"0" doc:"Requests that may wait; limits.queue where absent."`
	Reasoning string        `yaml:"reasoning" enum:"content,field,hidden" doc:"As reasoning at the root, for this model."`
	Timeouts  Timeouts      `yaml:"timeouts" doc:"How long to wait for the model."`
	Mock      *Mock         `yaml:"mock" for:"provider" doc:"How the mock model behaves."`
}

// Timeouts are the time limits of one request to a model.
type Timeouts struct {
	FirstToken time.Duration `yaml:"first_token" default:"120s" doc:"Until the answer begins."`
	Silence    time.Duration `yaml:"silence" default:"60s" doc:"Between two tokens."`
	Total      time.Duration `yaml:"total" default:"none" word:"none" doc:"For the whole answer: a duration or none."`
}

// Mock is how a mock model behaves.
type Mock struct {
	Behaviour       string        `yaml:"behaviour" default:"echo" enum:"echo,count,reasoning,embedding" doc:"What it answers: the last user message, numbers until max_tokens, reasoning and then the message, or embeddings."`
	TokensPerSecond float64       `yaml:"tokens_per_second" min:"0" doc:"Pace of the answer; 0 is as fast as possible."`
	FirstToken      time.Duration `yaml:"first_token" doc:"Time until the answer begins."`
	MaxTokens       int           `yaml:"max_tokens" min:"0" doc:"Tokens of an answer where the request sets no limit; 0 is no limit, and 4096 for count."`
	Dimensions      int           `yaml:"dimensions" min:"0" max:"65536" doc:"Length of an embedding where the request asks for none; 0 is 384."`
	ToolChoiceAuto  string        `yaml:"tool_choice_auto" default:"text" enum:"text,call" doc:"What tool_choice auto leads to."`
	Fault           *Fault        `yaml:"fault" doc:"What goes wrong, for clients to survive."`
}

// Fault is what goes wrong in a mock model's answers. Exactly one of Status,
// Cut, Stall and Error is not 0.
type Fault struct {
	Status     int           `yaml:"status" min:"0" max:"599" doc:"Answer with this HTTP status, 400 to 599."`
	RetryAfter time.Duration `yaml:"retry_after" doc:"With status: send Retry-After."`
	Cut        int           `yaml:"cut" min:"0" doc:"Break the connection after this many tokens."`
	Stall      int           `yaml:"stall" min:"0" doc:"Fall silent after this many tokens."`
	Error      int           `yaml:"error" min:"0" doc:"Send an error in mid-stream after this many tokens."`
	Every      int           `yaml:"every" default:"1" min:"1" doc:"Every how many requests it happens to; 1 is each."`
}

// Limits hold for the endpoint as a whole.
type Limits struct {
	Body          Size          `yaml:"body" default:"32MiB" doc:"Largest request body; a larger one is answered with 413."`
	Connections   int           `yaml:"connections" default:"4096" min:"0" doc:"Open connections. One more closes the one that has been longest without a request, or waits where all have one. 0 is no limit."`
	HeaderTimeout time.Duration `yaml:"header_timeout" default:"10s" doc:"Until a request's header has arrived."`
	BodyTimeout   time.Duration `yaml:"body_timeout" default:"60s" doc:"Without progress of a request's body; then 408."`
	BodyTotal     time.Duration `yaml:"body_total" default:"10m" doc:"Until all of a request's body has arrived; then 408."`
	BodyMemory    Size          `yaml:"body_memory" default:"256MiB" doc:"Memory for the bodies of all requests and answers at once, besides the first 64 KiB of each; beyond it 503 with Retry-After. 0 is no limit."`
	Queue         int           `yaml:"queue" default:"64" min:"0" doc:"Requests that may wait for one model."`
	Wait          time.Duration `yaml:"wait" default:"60s" doc:"How long they may wait."`
}

// Engine says which engine serves local models and what it may use.
type Engine struct {
	Path   string `yaml:"path" doc:"A llama-server to use in place of the pinned engine."`
	Memory Size   `yaml:"memory" doc:"Memory for loaded models; 0 is what is free less a tenth."`
}

// Info shapes the answer of /info.
type Info struct {
	Spelling string `yaml:"spelling" default:"spec" enum:"spec,service" doc:"Spelling of model_type: chat_completion as the specification has it, or chat-completion as the service sends it."`
}

// ExtraParameters shapes the extra-parameters header.
type ExtraParameters struct {
	Legacy bool `yaml:"legacy" default:"off" doc:"Take ignore for drop and allow for pass-through."`
}

// CORS says who may call from a browser.
type CORS struct {
	Origins []string `yaml:"origins" doc:"Origins such as https://app.example, or * for every one; an empty list is for none. Where absent * on a loopback address, and none on any other. A page needs a key all the same."`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level" default:"info" enum:"debug,info,warn,error" doc:"Least severe messages to keep."`
	Format string `yaml:"format" default:"text" enum:"text,json" doc:"For people or for machines."`
}

// Layers is a number of model layers; AllLayers is every one.
type Layers int

// AllLayers puts the whole model on the GPU.
const AllLayers Layers = -1

// Size is a number of bytes, written as 32MiB, 4GB or 1048576.
type Size int64
