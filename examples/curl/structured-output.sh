#!/usr/bin/env bash
# An answer that is JSON of a given schema.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

answer=$(curl -sS --fail-with-body "$endpoint/chat/completions?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" -d '{
    "messages": [{"role": "user", "content": "Write a recipe for a simple soup."}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "recipe", "strict": true, "schema": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "maxLength": 40},
        "minutes": {"type": "integer", "minimum": 1, "maximum": 240},
        "ingredients": {"type": "array", "items": {"type": "string", "maxLength": 30}, "minItems": 1, "maxItems": 6}
      },
      "required": ["name", "minutes", "ingredients"],
      "additionalProperties": false
    }}},
    "temperature": 0,
    "max_tokens": 400
  }') || { echo "$answer" >&2; exit 1; }
content='"message":\{[^}]*"content":"(([^"\\]|\\.)*)"' # JSON in a string of JSON
[[ $answer =~ $content ]]
printf '%b\n' "${BASH_REMATCH[1]//\\\"/\"}"
