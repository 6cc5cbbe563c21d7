// Package config turns one YAML file into a typed, validated and defaulted
// Config. It knows the file's shape and nothing of what is done with it.
package config

import (
	"reflect"
	"time"

	"github.com/ingot-llm/ingot/internal/config/tagged"
)

// Forever is the KeepAlive of a model that is never unloaded.
const Forever = tagged.Forever

// Config is everything a file can say, complete and checked. It is not changed
// after Parse; whoever needs another one parses again.
type Config struct {
	Listen          string          `yaml:"listen" default:"127.0.0.1:8080" doc:"Address and port to listen on."`
	TLS             TLS             `yaml:"tls" words:"off,auto" doc:"What the port speaks besides plain HTTP: off, nothing; auto, TLS with a certificate of a local CA in the data folder; or TLS with the certificate in these files. With TLS, plain HTTP is for callers on this machine only."`
	DefaultModel    string          `yaml:"default_model" doc:"Model that answers where a request names none. An operation it cannot do falls to the first model in the file that can."`
	Keys            []Key           `yaml:"keys" one_of:"key,key_file" doc:"Who may call. Without any, the development key of the data folder is the only one."`
	GitHubTokens    bool            `yaml:"github_tokens" default:"off" doc:"Whether whatever has the form of a GitHub token admits, as the caller github-token. Nobody asks GitHub whether it is one: for a machine of your own."`
	Entra           Entra           `yaml:"entra" doc:"Callers who come with a token of Microsoft Entra ID instead of a key."`
	Models          []Model         `yaml:"models" named:"true" min:"1" doc:"The names callers use, on every surface. Order counts: see default_model."`
	Aliases         Aliases         `yaml:"aliases" words:"off,github-models" doc:"Names that lead to models of this file: off, none; github-models, the names of GitHub Models' time, chat models to the default for chat and embedding models to that for embeddings; or a name and its model, line by line."`
	Providers       []Provider      `yaml:"providers" named:"true" doc:"Servers elsewhere that answer for models: see the provider of a model."`
	Limits          Limits          `yaml:"limits" doc:"Sizes and times of a request, and how many may wait for a model."`
	Engine          Engine          `yaml:"engine" doc:"The local engine."`
	Reasoning       string          `yaml:"reasoning" enum:"content,field,hidden" doc:"Where a model's reasoning goes: into the content, into a field of its own, or nowhere. Without it the route and its api-version decide."`
	Images          Images          `yaml:"images" doc:"Images in requests."`
	OpenAI          OpenAI          `yaml:"openai" doc:"The doors at /v1, /openai/v1 and /openai/deployments."`
	Responses       Responses       `yaml:"responses" doc:"What /responses keeps."`
	Endpoint        *Endpoint       `yaml:"endpoint" doc:"The manners of a managed online endpoint at the root: traffic among models, 424 for a model that fails."`
	Info            Info            `yaml:"info" doc:"The answer of /info."`
	ExtraParameters ExtraParameters `yaml:"extra_parameters" doc:"The extra-parameters header."`
	APIVersions     string          `yaml:"api_versions" default:"lenient" enum:"lenient,strict" doc:"Which api-version a request may have: none or any date, or one of the published ones and no other."`
	CORS            CORS            `yaml:"cors" doc:"Which web pages may call from a browser."`
	Log             Log             `yaml:"log" doc:"What is logged, and how."`

	src tagged.Source
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
	TokensPerMinute   int    `yaml:"tokens_per_minute" min:"0" doc:"Tokens a minute, read and written; 0 is no limit."`
	Admin             bool   `yaml:"admin" default:"off" doc:"May also see the metrics from other machines."`
}

// KeyFiles are the files that hold keys and secrets.
func (c *Config) KeyFiles() (paths []string) {
	add := func(path string) {
		if path != "" {
			paths = append(paths, path)
		}
	}
	for _, k := range c.Keys {
		add(k.File)
	}
	for _, p := range c.Providers {
		add(p.KeyFile)
		if p.Entra != nil {
			add(p.Entra.SecretFile)
		}
	}
	return paths
}

// Model is one name that callers use. Exactly one of Local, Command, Provider and Targets is set; Mock is set with Provider
// mock, and Model, Kind and Ready with Command. A target is a Model of its own, named after the one it answers for.
type Model struct {
	Name     string  `yaml:"-"`
	Local    string  `yaml:"local" doc:"A model on this machine: a catalogue name, a path, or file:, hf:, pip:, https: and a source. A relative path begins at the folder of this file; NAME= before it gives the model another name than the file's."`
	Command  string  `yaml:"command" secret:"inside" doc:"Command line of an OpenAI-shaped server to start and supervise; {port} stands for the port it must listen on."`
	Provider string  `yaml:"provider" doc:"Where the model is answered from: mock, a name under providers, or openai, which needs no entry there and takes its key from OPENAI_API_KEY."`
	Targets  []Model `yaml:"targets" recursive:"true" not:"target" doc:"Several places that answer for this model, each with local, command or provider. One is picked by weight for each request, and where it fails before its answer began, another."`

	Weight      *int          `yaml:"weight" for:"target" min:"0" max:"1000000" doc:"Share of the requests that this target is asked first; 1 where absent, 0 for only when the others fail."`
	Model       string        `yaml:"model" for:"command,provider" doc:"The model name that server expects; the deployment's name where absent."`
	Kind        string        `yaml:"kind" for:"command,provider" enum:"chat,embedding,image-embedding" doc:"What that server does with the model; chat where absent."`
	Ready       string        `yaml:"ready" for:"command" doc:"Path that answers 200 once that server is ready; /health where absent."`
	Projector   string        `yaml:"mmproj" for:"local" doc:"The file that lets a local model see or hear, where it is not found beside the model. A relative path begins at the folder of this file."`
	Context     *int          `yaml:"context" for:"local,command,provider" min:"1" doc:"Tokens one request may use, prompt and answer together; what the model was trained for where absent, 8192 at most."`
	Slots       *int          `yaml:"slots" for:"local,command" min:"1" doc:"Requests answered at the same time; where absent 2 for chat, 4 for embeddings and 16 for a command."`
	Threads     *int          `yaml:"threads" for:"local" min:"1" doc:"CPU threads; where absent the physical cores, less one on a busy machine."`
	GPULayers   *Layers       `yaml:"gpu_layers" for:"local" doc:"Layers to put on the GPU: all, or a number; where absent as many as fit."`
	KeepAlive   time.Duration `yaml:"keep_alive" for:"local,command" default:"10m" word:"forever" doc:"How long an idle model stays loaded: a duration, 0s to unload at once, or forever."`
	System      *string       `yaml:"system" for:"local" doc:"System prompt where the caller sends none; empty for none at all, the catalogue's where absent."`
	Inputs      int           `yaml:"inputs" not:"target" default:"2048" min:"1" max:"8192" doc:"Most inputs of one request for embeddings; more is refused with 422."`
	Queue       *int          `yaml:"queue" for:"local,command,provider" min:"0" doc:"Requests that may wait; limits.queue where absent."`
	Reasoning   string        `yaml:"reasoning" not:"target" enum:"content,field,hidden" doc:"As reasoning at the root, for this model."`
	PerMinute   int           `yaml:"requests_per_minute" not:"target" min:"0" doc:"Requests a minute of all callers together; 0 is no limit."`
	TokensLimit int           `yaml:"tokens_per_minute" not:"target" min:"0" doc:"Tokens a minute of all callers together, read and written; 0 is no limit."`
	Timeouts    Timeouts      `yaml:"timeouts" for:"local,command,provider" doc:"How long to wait for the model."`
	Mock        *Mock         `yaml:"mock" for:"provider" doc:"How the mock model behaves."`

	target bool // it is one
}

// Locals are the models that run on this machine, and the targets of models that do.
func (c *Config) Locals() (locals []Model) {
	for _, m := range c.places() {
		if m.Local != "" {
			locals = append(locals, *m)
		}
	}
	return locals
}

// Provider finds a provider by its name; nil: there is none.
func (c *Config) Provider(name string) *Provider {
	for i := range c.Providers {
		if c.Providers[i].Name == name {
			return &c.Providers[i]
		}
	}
	return nil
}

// Provider is a server elsewhere. At most one of Key, KeyFile and Entra is set.
type Provider struct {
	Name       string        `yaml:"-"`
	Type       string        `yaml:"type" required:"true" enum:"azure,openai" doc:"How it is spoken to: azure for everything of Azure's, openai for OpenAI and whatever has its shape."`
	Endpoint   string        `yaml:"endpoint" secret:"inside" doc:"Its address, as its own clients take it; that of OpenAI where absent."`
	Key        string        `yaml:"key" secret:"true" doc:"The key it asks for, best written as ${VARIABLE}."`
	KeyFile    string        `yaml:"key_file" doc:"File that holds the key and nothing else; read again when it changes. A relative path begins at the folder of this file."`
	Entra      *Credential   `yaml:"entra" doc:"Ask Microsoft Entra ID for a token instead of using a key."`
	APIVersion string        `yaml:"api_version" doc:"The api-version to call with, where the server takes one."`
	Surface    string        `yaml:"surface" enum:"deployments,v1,models,serverless,managed" doc:"Which of Azure's addresses the endpoint is; told from the address where absent."`
	Flavour    string        `yaml:"flavour" enum:"openai,vllm,sglang,tgi,llama-server,ollama,lm-studio,ray-serve,kserve,ingot" doc:"Which server has OpenAI's shape there, so that it is not asked for what it does not understand."`
	Proxy      string        `yaml:"proxy" secret:"inside" doc:"Proxy to go through: a URL, or off; that of HTTPS_PROXY where absent."`
	CA         string        `yaml:"ca" doc:"PEM file of authorities to trust besides the system's. A relative path begins at the folder of this file."`
	Connect    time.Duration `yaml:"connect" default:"5s" doc:"How long to wait for a connection."`
}

// Credential is how to ask Microsoft Entra ID for tokens.
type Credential struct {
	Method     string `yaml:"method" default:"default" enum:"default,managed-identity,client-secret,workload-identity" doc:"Who vouches: the default chain (environment, workload, managed identity, Azure CLI), or one of them."`
	Tenant     string `yaml:"tenant" doc:"Tenant, for client-secret and workload-identity."`
	Client     string `yaml:"client" doc:"Client id of the application, or of a managed identity that the user assigned."`
	Secret     string `yaml:"secret" secret:"true" doc:"The application's secret, for client-secret."`
	SecretFile string `yaml:"secret_file" doc:"File that holds it and nothing else. A relative path begins at the folder of this file."`
	Scope      string `yaml:"scope" doc:"Scope to ask a token for; that of the endpoint's surface where absent."`
}

// Aliases lead from names to models. Where Names is set, Mode means nothing.
type Aliases struct {
	Mode  string `yaml:"-" default:"off" enum:"off,github-models"`
	Names map[string]string
}

// Entra says whose tokens of Microsoft Entra ID admit (doc/protocol.md §10). Without tenants nobody's do.
type Entra struct {
	Tenants    []string      `yaml:"tenants" doc:"Ids of the tenants whose tokens are taken."`
	Audiences  []string      `yaml:"audiences" doc:"Audiences that a token may be made out to: api://… or the id of an app registration of your own."`
	FirstParty bool          `yaml:"first_party" default:"off" doc:"Also take tokens that are made out to Microsoft's own resources, which is what the inference SDKs ask for by themselves. Anybody to whom a caller shows such a token can use it against Azure: prefer an audience of your own."`
	Allow      Allow         `yaml:"allow" doc:"Who of those tenants may call; at least one list is needed."`
	Authority  string        `yaml:"authority" default:"https://login.microsoftonline.com" doc:"Where the tenants' keys are published."`
	Leeway     time.Duration `yaml:"leeway" default:"5m" doc:"How far clocks may differ; 5m at most."`
}

// Allow lists who may call with a token of Microsoft Entra ID.
type Allow struct {
	Objects []string `yaml:"objects" doc:"Object ids of users, service principals and managed identities."`
	Apps    []string `yaml:"apps" doc:"Client ids of applications."`
	Roles   []string `yaml:"roles" doc:"App roles."`
	Scopes  []string `yaml:"scopes" doc:"Delegated scopes."`
	Groups  []string `yaml:"groups" doc:"Object ids of groups."`
}

// Images bounds the images of requests.
type Images struct {
	Fetch      Fetch         `yaml:"fetch" words:"public,off" doc:"Which addresses of images are fetched: public, https at public addresses; off, none, so that images come as data URLs only; or a list of hosts that are allowed besides public ones, wherever they are."`
	Bytes      Size          `yaml:"bytes" default:"20MiB" doc:"Largest image file."`
	Pixels     int           `yaml:"pixels" default:"50000000" min:"1" doc:"Most pixels of an image."`
	PerRequest int           `yaml:"per_request" default:"16" min:"1" max:"1024" doc:"Most images of a request to a local model."`
	Timeout    time.Duration `yaml:"timeout" default:"20s" doc:"Until an image has been fetched."`
}

// Fetch says which images are fetched. Where Hosts is set, Mode means nothing.
type Fetch struct {
	Mode  string `yaml:"-" default:"public" enum:"public,off"`
	Hosts []string
}

// OpenAI shapes the doors at /v1, /openai/v1 and /openai/deployments.
type OpenAI struct {
	UnknownFields   string `yaml:"unknown_fields" default:"refuse" enum:"refuse,ignore" doc:"What happens to members that the API does not have."`
	ReasoningParams string `yaml:"reasoning_params" default:"lenient" enum:"lenient,strict" doc:"Whether max_tokens and its kin are refused for reasoning models, as OpenAI does."`
	Annotations     bool   `yaml:"annotations" default:"off" doc:"Send prompt_filter_results and content_filter_results where a filter really ran."`
}

// Responses is what /responses keeps.
type Responses struct {
	Store   bool          `yaml:"store" default:"off" doc:"Keep answers in memory, so that they can be continued, fetched and made in the background. Each is for the key that made it."`
	Entries int           `yaml:"entries" default:"1000" min:"1" doc:"Most answers to keep; the oldest of whoever has most leave first."`
	Bytes   Size          `yaml:"bytes" default:"64MiB" doc:"Memory for them."`
	Age     time.Duration `yaml:"age" default:"1h" doc:"How long each is kept."`
}

// Endpoint gives the root the manners of a managed online endpoint (doc/protocol.md §8.2).
type Endpoint struct {
	Name    string         `yaml:"name" default:"ingot" doc:"Its name, in the header azureml-model-group."`
	Traffic map[string]int `yaml:"traffic" doc:"Models and the share of the requests each gets, in percent, 100 together."`
	Mirror  map[string]int `yaml:"mirror" doc:"One model and the share of the requests, in percent and 50 at most, of which it gets a copy whose answer nobody sees."`
	Sticky  bool           `yaml:"sticky" default:"off" doc:"Requests with the same x-ms-client-request-id go to the same model."`
}

// Timeouts are the time limits of one request to a model.
type Timeouts struct {
	FirstToken time.Duration `yaml:"first_token" default:"120s" doc:"Until the answer begins."`
	Silence    time.Duration `yaml:"silence" default:"60s" doc:"Between two tokens."`
	Total      time.Duration `yaml:"total" default:"none" word:"none" doc:"For the whole answer: a duration or none."`
}

// Mock is how a mock model behaves.
type Mock struct {
	Behaviour       string        `yaml:"behaviour" default:"echo" enum:"echo,count,reasoning,embedding,image-embedding" doc:"What it answers: the last user message, numbers until max_tokens, reasoning and then the message, embeddings, or embeddings of images."`
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

type (
	// Size is a number of bytes, written as 32MiB, 4GB or 1048576.
	Size = tagged.Size
	// Layers is a number of model layers.
	Layers = tagged.Layers
	// Error is one complaint about a file.
	Error = tagged.Error
	// Errors are all complaints about one file, in its order.
	Errors = tagged.Errors //nolint:errname // the plural of Error
)

// AllLayers puts the whole model on the GPU.
const AllLayers = tagged.AllLayers

// Schema is the JSON Schema (2020-12) of the file.
func Schema() []byte { return tagged.Schema(reflect.TypeFor[Config](), "ingot.yaml") }

// YAML writes the effective configuration, defaults included, as a file that
// Parse reads back. With hideSecrets the keys, and what looks like one in a
// command line, are replaced.
func (c *Config) YAML(hideSecrets bool) []byte {
	return tagged.Write(*c, hideSecrets, func(of reflect.Value, f reflect.StructField) bool {
		switch of := of.Interface().(type) {
		case Model:
			return !belongs(f, of.owner(), of.target)
		case Fault:
			return reflect.ValueOf(of).FieldByIndex(f.Index).IsZero() // a fault is one of its members
		}
		return false
	})
}
