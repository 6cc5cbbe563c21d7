#!/usr/bin/env bash
# Ranks a folder of texts by how near they are to a question: embedding-search.sh [QUESTION]
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

question=${*:-How do I repair a flat tyre?}
texts=("$(dirname "$0")"/../texts/*.txt)

# quoted writes a text as a string of JSON.
quoted() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\t'/\\t}
  printf '"%s"' "${text//$'\n'/\\n}"
}

input=$(quoted "$question")
for text in "${texts[@]}"; do
  input+=", $(quoted "$(cat "$text")")"
done
answer=$(curl -sS --fail-with-body "$endpoint/embeddings?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" -d "{\"model\": \"minilm\", \"input\": [$input]}") || { echo "$answer" >&2; exit 1; }

echo "$question"
# A vector on each line; the first is the question's.
grep -o '"embedding":\[[^]]*\]' <<<"$answer" | sed 's/.*\[//; s/\]//' | awk -F , -v names="${texts[*]##*/}" '
  function dot(a, b,  i, sum) { for (i in a) sum += a[i] * b[i]; return sum }
  { split($0, v) }
  NR == 1 { split($0, q); split(names, name, " ") }
  NR > 1 { printf "%6.3f  %s\n", dot(q, v) / sqrt(dot(q, q) * dot(v, v)), name[NR - 1] }' | sort -rn
