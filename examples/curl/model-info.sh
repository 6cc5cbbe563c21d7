#!/usr/bin/env bash
# Which model answers here, and which others there are.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

curl -sS --fail-with-body -H "api-key: $key" "$endpoint/info?api-version=2024-05-01-preview"
echo
curl -sS --fail-with-body -H "api-key: $key" "$endpoint/v1/models"
echo
