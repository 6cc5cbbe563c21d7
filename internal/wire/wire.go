// Package wire says what a wire format must do: turn requests into bytes for a model's
// server, and its bytes into replies. Each format is a package below this one.
package wire

import (
	"net/http"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
)

// Request is an HTTP request to a model's server, still without its address and credentials.
type Request struct {
	Path   string      // from the server's base on, such as /chat/completions
	Header http.Header // beside Content-Type and credentials; may be nil
	Pieces [][]byte
	// Choices is how many a whole answer has.
	Choices int
}

// Codec is the caller's side of one wire format. Its methods may be called concurrently;
// errors are *llm.Error.
type Codec interface {
	EncodeChat(*llm.ChatRequest) (*Request, error)
	EncodeComplete(*llm.CompleteRequest) (*Request, error)
	EncodeEmbed(*llm.EmbedRequest) (*Request, error)
	// DecodeReply reads the whole answer to a chat or text completion that is not streamed. It keeps body.
	DecodeReply(op llm.Operation, body []byte) (*llm.Reply, error)
	// DecodeEmbed reads the answer to r. It keeps body.
	DecodeEmbed(r *llm.EmbedRequest, body []byte) (*llm.EmbedReply, error)
	// DecodeMeta reads what a server says beside its answer of how that came about.
	DecodeMeta(h http.Header) llm.Meta
	// NewDecoder returns a decoder for one streamed answer.
	NewDecoder(llm.Operation) Decoder
	// DecodeError classifies an answer that is not 200.
	DecodeError(status int, h http.Header, body []byte) *llm.Error
}

// Decoder turns the events of one stream into fragments.
type Decoder interface {
	// Decode takes all events that one read brought; raw is their bytes where they may be
	// passed on (sse.Reader.Raw). It returns nil where there is nothing to say, and io.EOF
	// when the reply is complete. With any other error comes what was said before it. The fragment is valid until the
	// next call.
	Decode(events []sse.Event, raw []byte) (*llm.Reply, error)
	// Complete reports whether the reply may end here: each choice seen has its finish, and there are so many, unless the
	// server said that these are all.
	Complete(choices int) bool
}
