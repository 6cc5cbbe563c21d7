module github.com/ingot-llm/ingot/test/clients/go-sdk

go 1.26.0

require (
	github.com/ingot-llm/ingot/client v0.0.0-00010101000000-000000000000
	github.com/ingot-llm/ingot/test/clients/served v0.0.0
)

replace github.com/ingot-llm/ingot/client => ../../../client

replace github.com/ingot-llm/ingot/test/clients/served => ../served
