module github.com/ingot-llm/ingot/test/clients/served

go 1.26.0
