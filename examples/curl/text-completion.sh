#!/usr/bin/env bash
# A text that the model goes on with.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

curl -sS --fail-with-body "$endpoint/completions?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" \
  -d '{"prompt": "Once upon a time there was", "max_tokens": 40, "temperature": 0}'
echo
