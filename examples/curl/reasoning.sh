#!/usr/bin/env bash
# The thoughts of a model that reasons, and its answer. INGOT_ENDPOINT names such a model, for example
# http://127.0.0.1:8080/deployments/mock-reasoning.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

# Since this version thoughts have a member of their own; before it they stood as <think>…</think> in the content.
answer=$(curl -sS --fail-with-body "$endpoint/chat/completions?api-version=2025-04-01" \
  -H "api-key: $key" -H "Content-Type: application/json" \
  -d '{"messages": [{"role": "user", "content": "A train leaves at 9:40 and rides for 95 minutes. When does it arrive?"}]}') || { echo "$answer" >&2; exit 1; }

for member in reasoning_content content; do
  text="\"$member\":\"(([^\"\\\\]|\\\\.)*)\""
  if [[ $answer =~ $text ]]; then
    printf '%s: %b\n' "$member" "${BASH_REMATCH[1]//\\\"/\"}"
  fi
done
