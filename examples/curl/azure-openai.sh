#!/usr/bin/env bash
# As a client of Azure OpenAI: chat and embeddings of deployments.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

# Without a list of models of its own the endpoint knows such names and answers with its default models.
curl -sS --fail-with-body "$endpoint/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21" \
  -H "api-key: $key" -H "Content-Type: application/json" \
  -d '{"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0, "max_tokens": 100}'
echo
curl -sS --fail-with-body "$endpoint/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21" \
  -H "api-key: $key" -H "Content-Type: application/json" -d '{"input": "a word", "encoding_format": "base64"}'
echo
