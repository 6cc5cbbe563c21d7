#!/usr/bin/env bash
# Compares a hop through Ingot with other gateways: run.sh BENCH_DIR [arguments of the harness]. BENCH_DIR is the folder of
# the harness, over a copy of which the files beside this script are laid. Without arguments it runs nginx, the proxies of the
# harness and Ingot side by side through chats of 1 KB, prompts of 100 KB, embeddings and streams, in three rounds. INGOT names
# the binary; where it is not set, one is built.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=${1:?usage: run.sh BENCH_DIR [arguments]}
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$bench" "$work/bench"
cp -r "$here/mine.json" "$here/conf" "$work/bench/"
if [[ -z ${INGOT:-} ]]; then
	INGOT=$work/ingot
	(cd "$here/../../.." && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$INGOT" ./cmd/ingot)
fi
if [[ $# -eq 0 ]]; then
	set -- -peers nginx,revproxy,raw,ingot -scenarios chat1k,chat100k,emb,stream10-200 -reps 3 -dur 2s -out "$work/rounds.jsonl"
fi
"$work/bench/run.sh" -peers-file peers.json,mine.json -vars "INGOT=$INGOT" "$@"
