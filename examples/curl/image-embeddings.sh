#!/usr/bin/env bash
# How alike two pictures are, for a deployment whose model embeds pictures.
set -euo pipefail
endpoint=${INGOT_ENDPOINT:-http://127.0.0.1:8080}
key=${INGOT_KEY:?set it to a key of the endpoint; ingot serve says where its own is}

pictures=$(dirname "$0")/../pictures
circle=$(base64 <"$pictures/circle.png" | tr -d '\n')
square=$(base64 <"$pictures/square.png" | tr -d '\n')

answer=$(curl -sS --fail-with-body "$endpoint/images/embeddings?api-version=2024-05-01-preview" \
  -H "api-key: $key" -H "Content-Type: application/json" -d @- <<END
{"input": [{"image": "data:image/png;base64,$circle"}, {"image": "data:image/png;base64,$square"}]}
END
) || { echo "$answer" >&2; exit 1; }
# A vector on each line.
grep -o '"embedding":\[[^]]*\]' <<<"$answer" | sed 's/.*\[//; s/\]//' | awk -F , '
  NR == 1 { split($0, a); n = NF }
  NR == 2 { for (i = 1; i <= n; i++) { ab += a[i] * $i; aa += a[i] ^ 2; bb += $i ^ 2 } }
  END { printf "vectors of %d numbers, cosine %.3f\n", n, ab / sqrt(aa * bb) }'
