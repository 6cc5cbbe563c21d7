module github.com/ingot-llm/ingot/client

go 1.26.0
