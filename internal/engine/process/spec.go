// Package process runs one model server as a supervised child: it starts it
// when it is needed, shares it among its users, notices its end, stops it when
// it is idle or silent, and leaves nothing of it behind.
package process

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Kind says which program a child is.
type Kind string

// The kinds of child.
const (
	Xllamacpp   Kind = "xllamacpp"    // llama.cpp's server inside a Python extension
	LlamaServer Kind = "llama-server" // a llama-server binary
	Command     Kind = "command"      // any other server, started by Spec.Command
)

// Values of Spec.GPULayers besides a number of layers.
const (
	AllLayers  = -1 // every layer on the GPU
	AutoLayers = -2 // as many as the engine finds room for
)

// Engine is the program that serves a model file.
type Engine struct {
	Kind       Kind
	Python     string   // Xllamacpp: the interpreter
	PythonPath string   // Xllamacpp: the folder that holds the unpacked package
	Argv       []string // LlamaServer: the binary and flags of the user's that go before ours
}

// Limits bound a child in time. They may change during its life.
type Limits struct {
	Start     time.Duration // until it must have answered once; zero: five minutes
	StopGrace time.Duration // between being asked to end and being killed; zero: five seconds
	KeepAlive time.Duration // unused for so long it is stopped; zero: never
	Silence   time.Duration // without a sign of progress while somebody awaits one, it is killed; zero: never
}

func (l Limits) filled() Limits {
	if l.Start <= 0 {
		l.Start = 5 * time.Minute
	}
	if l.StopGrace <= 0 {
		l.StopGrace = 5 * time.Second
	}
	return l
}

// Spec is everything a child is started with. It is not changed once handed over.
type Spec struct {
	Name   string // for the log
	Engine Engine

	ModelPath    string
	Projector    string // the multimodal projector's file, if any
	Context      int    // tokens per slot; zero: what the model was trained for
	Slots        int    // requests served at the same time; zero: one
	Threads      int    // zero: the engine decides
	GPULayers    int    // AllLayers, AutoLayers or a number
	Batch        int    // prompt tokens computed at a time; zero: what suits the model and the machine
	CacheMiB     int    // memory for prompts that left their slot
	Embedding    bool   // answers embeddings only
	Pooling      string // none, mean, cls, last; empty: what the model says
	ChatTemplate string // instead of the model's own

	Command string // Command: words with quotes, no shell; {port} is filled in
	Ready   string // Command: the path that answers 200 when it is ready; empty: /health

	Env    []string // NAME=value, added to the gateway's own without its INGOT_ variables
	Limits Limits
}

// Key is equal for specs that would start the same child: name and limits do
// not count.
func (s Spec) Key() string {
	s.Name, s.Limits = "", Limits{}
	s.Slots = max(s.Slots, 1)
	b, _ := json.Marshal(s) // strings and numbers: it cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Words splits a command line as a shell would, without expanding anything:
// single quotes keep all, double quotes keep all but \" and \\, and outside of
// quotes a backslash keeps the space, quote or backslash after it.
func Words(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	begun, rs := false, []rune(line)
	for i := 0; i < len(rs); i++ {
		r := rs[i]
		escapes := r == '\\' && i+1 < len(rs) && quote != '\'' &&
			(rs[i+1] == '"' || rs[i+1] == '\\' || quote == 0 && strings.ContainsRune(" \t\n'", rs[i+1]))
		switch {
		case escapes:
			i++
			word.WriteRune(rs[i])
			begun = true
		case r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, errors.New("split command: a quote is not closed")
	}
	if begun {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("split command: it is empty")
	}
	return words, nil
}
