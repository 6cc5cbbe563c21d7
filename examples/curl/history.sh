#!/usr/bin/env bash
# A conversation: every request carries what was said before.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

content='"message":\{[^}]*"content":"(([^"\\]|\\.)*)"'

messages='{"role": "system", "content": "You help with cooking. Answer in one sentence."}'
for question in "What can I make of three eggs?" "And without a pan?"; do
  messages+=", {\"role\": \"user\", \"content\": \"$question\"}"
  answer=$(curl -sS --fail-with-body "$endpoint/chat/completions?api-version=2024-05-01-preview" \
    -H "api-key: $key" -H "Content-Type: application/json" \
    -d "{\"messages\": [$messages], \"temperature\": 0, \"max_tokens\": 100}") || { echo "$answer" >&2; exit 1; }
  [[ $answer =~ $content ]]
  messages+=", {\"role\": \"assistant\", \"content\": \"${BASH_REMATCH[1]}\"}" # escaped as it came
  printf '> %s\n%b\n' "$question" "${BASH_REMATCH[1]//\\\"/\"}"
done
