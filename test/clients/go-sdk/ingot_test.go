// Package sdk_test drives the Go SDK of this repository, and the examples that use it, against the real binary.
// run.sh says how it is started.
package sdk_test

import (
	"os"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/test/clients/served"
)

const key = served.Key

const faulty = `
models:
  mock: {provider: mock}
  hasty: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms, every: 2}}}
  distant: {provider: mock, mock: {fault: {status: 429, retry_after: 5m}}}
  broken-403: {provider: mock, mock: {fault: {status: 403}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  stalls: {provider: mock, mock: {fault: {stall: 2}}}
  calls: {provider: mock, mock: {tool_choice_auto: call}}
`

// The endpoints of these tests: of all mock models, and of failing ones.
var mocks, faults *served.Ingot

// work is a folder for the time of the tests.
var work string

func TestMain(m *testing.M) {
	os.Exit(served.Main(m, "go-sdk", faulty, &results, func(folder string, all, failing *served.Ingot) { work, mocks, faults = folder, all, failing }))
}

// of is a client of the endpoint with this path.
func of(t testing.TB, s *served.Ingot, path string, options *client.Options) *client.Client {
	t.Helper()
	c, err := client.New(s.At(path), client.Key(key), options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// name is the client, as the tables of results call it.
const name = "ingot/client " + client.Version + " (Go)"

// results are what the client did.
var results served.Rows

// seen notes that it did an operation at an address, or, with why, that it cannot.
func seen(address, operation string, why ...string) { results.Note(name, address, operation, why...) }

// must is the value of a call that may not fail.
func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// says is a request of one message.
func says(text string, parts ...client.Part) *client.ChatRequest {
	return &client.ChatRequest{Messages: []client.Message{client.User(text, parts...)}}
}
