#!/usr/bin/env bash
# A function of this script that the model may call.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

# get_weather stands for a service that knows.
get_weather() { echo "The sky over $1 is clear and it is 21 degrees."; }

question='{"role": "user", "content": "How is the weather in Paris?"}'
tools='[{"type": "function", "function": {
  "name": "get_weather",
  "description": "Tells the weather of a city.",
  "parameters": {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 40, "description": "The name of the city."}},
    "required": ["city"],
    "additionalProperties": false
  }
}}]'

# ask sends messages and a choice of tool.
ask() {
  curl -sS --fail-with-body "$endpoint/chat/completions?api-version=2024-05-01-preview" \
    -H "api-key: $key" -H "Content-Type: application/json" \
    -d "{\"messages\": [$1], \"tools\": $tools, \"tool_choice\": \"$2\", \"temperature\": 0, \"max_tokens\": 200}"
}

# Required, so that a small model calls it too; with auto the model decides.
asked=$(ask "$question" required) || { echo "$asked" >&2; exit 1; }
[[ $asked =~ \"tool_calls\":\[\{\"id\":\"([^\"]*)\" ]]
id=${BASH_REMATCH[1]}
called='"arguments":"(([^"\\]|\\.)*)"' # JSON in a string of JSON
[[ $asked =~ $called ]]
escaped=${BASH_REMATCH[1]}
arguments=$(printf '%b' "${escaped//\\\"/\"}")
city='"city": *"([^"]*)"'
[[ $arguments =~ $city ]]
result=$(get_weather "${BASH_REMATCH[1]}")
echo "get_weather($arguments): $result"

call="{\"id\": \"$id\", \"type\": \"function\", \"function\": {\"name\": \"get_weather\", \"arguments\": \"$escaped\"}}"
ask "$question,
  {\"role\": \"assistant\", \"tool_calls\": [$call]},
  {\"role\": \"tool\", \"tool_call_id\": \"$id\", \"content\": \"$result\"}" none
echo
