#!/usr/bin/env bash
# A sample of GitHub Models' time: only the address is another.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

curl -sS --fail-with-body "$endpoint/inference/chat/completions" \
  -H "Authorization: Bearer $key" -H "Content-Type: application/json" -d '{
    "model": "openai/gpt-4o",
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "temperature": 1,
    "max_tokens": 100,
    "top_p": 1
  }'
echo
curl -sS --fail-with-body -H "Authorization: Bearer $key" "$endpoint/catalog/models"
echo
