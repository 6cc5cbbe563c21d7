#!/usr/bin/env bash
# Over TLS, with the local authority of `ingot serve --tls auto`.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-https://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

# Where the authority's certificate is; a script that runs elsewhere gets a copy of the file.
authority=$(ingot trust --json | sed -n 's/^  "ca": "\(.*\)",$/\1/p')

curl -sS --fail-with-body --cacert "$authority" "$endpoint/chat/completions?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" \
  -d '{"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0, "max_tokens": 100}'
echo
