#!/usr/bin/env bash
# Compares generation through Ingot with the bare engine: same model, engine and settings, one
# thread, in turns, RUNS pairs (10). The last line is the ratio of their tokens per second, the
# median of the pairs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=$(go test -tags engine -count 1 -run '^$' -bench '^BenchmarkRatio$' -benchtime "${RUNS:-10}x" ./test/engine 2>&1) || {
	echo "$out" >&2
	exit 1
}
echo "$out"
grep '^ratio ' <<<"$out"
