#!/usr/bin/env bash
# A question about a picture, for a deployment whose model sees.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

picture=$(base64 <"$(dirname "$0")/../pictures/circle.png" | tr -d '\n')

curl -sS --fail-with-body "$endpoint/chat/completions?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" -d @- <<END
{
  "messages": [{"role": "user", "content": [
    {"type": "text", "text": "What shape is this, and of which colour?"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,$picture"}}
  ]}],
  "max_tokens": 100
}
END
echo
