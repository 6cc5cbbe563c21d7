module github.com/ingot-llm/ingot/test/clients/dotnet

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/ingot-llm/ingot/test/clients/served v0.0.0
)

replace github.com/ingot-llm/ingot/test/clients/served => ../served
