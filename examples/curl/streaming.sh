#!/usr/bin/env bash
# An answer printed while it is made: each event of the stream is a line "data: {…}", the last is "data: [DONE]".
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

piece='"delta":\{[^}]*"content":"(([^"\\]|\\.)*)"'

curl -sSN --fail-with-body "$endpoint/chat/completions?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" -d '{
    "messages": [{"role": "user", "content": "Tell me a very short story about a lighthouse."}],
    "max_tokens": 200,
    "stream": true
  }' |
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line =~ $piece ]]; then
      printf '%b' "${BASH_REMATCH[1]//\\\"/\"}"
    elif [[ $line == '{'* ]]; then
      echo "$line" >&2 # an error
    fi
  done
echo
