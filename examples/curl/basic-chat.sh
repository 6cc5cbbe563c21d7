#!/usr/bin/env bash
# One question, one answer.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

curl -sS --fail-with-body "$endpoint/chat/completions?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" -d '{
    "messages": [
      {"role": "system", "content": "Be brief."},
      {"role": "user", "content": "What is the capital of France?"}
    ],
    "temperature": 0,
    "max_tokens": 100
  }'
echo
