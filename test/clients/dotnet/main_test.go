// Package dotnet_test sends to the real binary the bytes that Azure.AI.Inference 1.0.0-beta.5 for .NET sends, and reads the
// answers by the rules of its parser, both from reading its source (doc/protocol.md). No .NET runtime is run.
package dotnet_test

import (
	"os"
	"testing"

	"github.com/ingot-llm/ingot/test/clients/served"
)

const (
	key    = served.Key
	client = "Azure.AI.Inference-replayed 1.0.0-beta.5 (.NET)"
)

const faulty = `
models:
  good: {provider: mock}
  limited: {provider: mock, mock: {fault: {status: 429, retry_after: 300ms}}}
  broken-500: {provider: mock, mock: {fault: {status: 500}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  cut: {provider: mock, mock: {fault: {cut: 3}}}
`

// The endpoints of these tests: of all mock models, and of failing ones.
var mocks, faults *served.Ingot

func TestMain(m *testing.M) {
	os.Exit(served.Main(m, "dotnet", faulty, &results, func(_ string, all, failing *served.Ingot) { mocks, faults = all, failing }))
}

// results are what its bytes did.
var results served.Rows

// note keeps that an operation succeeded at an address, or, with a reason, that it failed as it must.
func note(address, operation string, why ...string) { results.Note(client, address, operation, why...) }
