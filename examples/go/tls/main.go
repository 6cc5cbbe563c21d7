// Over TLS, with the local authority of `ingot serve --tls auto`.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"

	"github.com/ingot-llm/ingot/client"
)

func main() {
	// Where the authority's certificate is; a program that runs elsewhere gets a copy of the file.
	said, err := exec.CommandContext(context.Background(), "ingot", "trust", "--json").Output()
	if err != nil {
		log.Fatalf("ingot trust: %v", err)
	}
	var trust struct{ CA string }
	if err := json.Unmarshal(said, &trust); err != nil {
		log.Fatal(err)
	}
	authority, err := os.ReadFile(trust.CA)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}

	options := &client.Options{HTTPClient: &http.Client{Transport: transport}}
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "https://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), options)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	reply, err := c.Chat(context.Background(), &client.ChatRequest{
		Messages:    []client.Message{client.User("What is the capital of France?")},
		Temperature: new(0.0),
		MaxTokens:   new(100),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
}
