#!/usr/bin/env bash
# A token of Microsoft Entra ID instead of a key, which goes over TLS only. The endpoint's configuration says whose it takes.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-https://127.0.0.1:8080}
token=${INGOT_TOKEN:?set it to a token: az account get-access-token --resource https://ml.azure.com --query accessToken -o tsv}

# curl reads the authority of ingot serve --tls auto from CURL_CA_BUNDLE; ingot trust says where it is.
curl -sS --fail-with-body "$endpoint/chat/completions?api-version=2024-05-01-preview" \
  -H "Authorization: Bearer $token" -H "Content-Type: application/json" \
  -d '{"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0, "max_tokens": 100}'
echo
