package dotnet_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/test/clients/served"
)

// requestID is the id that the pipeline makes for a call.
const requestID = "0f8fad5b-d9cb-469f-a165-70867728950e"

// A call is what one method of a client is given.
type call struct {
	server *served.Ingot
	base   string // below the endpoint
	path   string
	body   string // as the SDK's writer makes it; empty for GET
	extra  string // extra-parameters, which the methods set for additional properties, but not for streams
	deploy string // azureml-model-deployment, by a policy of the caller's
	key    string
	secure bool
}

// bytes is the request as it is put on the wire: names, values and order of headers are those of Azure.Core's pipeline with a
// key credential.
func (c call) bytes() string {
	method := "POST"
	if c.body == "" {
		method = "GET"
	}
	lines := []string{
		method + " " + c.base + c.path + "?api-version=2024-05-01-preview HTTP/1.1",
		"Host: " + c.server.Address,
		"Accept: application/json",
	}
	if c.extra != "" {
		lines = append(lines, "extra-parameters: "+c.extra)
	}
	if c.deploy != "" {
		lines = append(lines, "azureml-model-deployment: "+c.deploy)
	}
	lines = append(lines,
		"api-key: "+c.key,
		"x-ms-client-request-id: "+requestID,
		"x-ms-return-client-request-id: true",
		"User-Agent: azsdk-net-AI.Inference/1.0.0-beta.5 (.NET 8.0.11; Debian GNU/Linux 12 (bookworm))",
		"Authorization: Bearer "+c.key,
	)
	if c.body != "" {
		lines = append(lines, "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(c.body)))
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + c.body
}

// do sends the call over a connection of its own, which ends with the test.
func (c call) do(t *testing.T) *http.Response {
	t.Helper()
	if c.server == nil {
		c.server = mocks
	}
	if c.key == "" {
		c.key = key
	}
	conn, err := net.Dial("tcp", c.server.Address)
	if err == nil && c.secure {
		conn, err = trusting(conn, c.server.CA)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(c.bytes())); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if got := resp.Header.Get("x-ms-client-request-id"); got != requestID {
		t.Errorf("the answer has the request id %q", got)
	}
	return resp
}

func trusting(conn net.Conn, file string) (net.Conn, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}), nil
}

// escaped is a text inside a string, as the SDK's JSON writer has it: whatever is not ASCII, and what means something to HTML, as
// numbers of UTF-16 in capitals.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r > '~' || r < ' ' || strings.ContainsRune("\"&'+<>`", r):
			for _, unit := range units(r) {
				fmt.Fprintf(&b, `\u%04X`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// units are the units of UTF-16 of a rune.
func units(r rune) []rune {
	const first = 0x10000
	if r < first {
		return []rune{r}
	}
	r -= first
	return []rune{0xD800 + r>>10, 0xDC00 + r&0x3FF}
}

// user is a list of one message of the user's.
func user(text string) string {
	return `"messages":[{"role":"user","content":"` + escaped(text) + `"}]`
}
