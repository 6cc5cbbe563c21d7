#!/usr/bin/env bash
# Counts how often smollm2's structured answers and calls are right; fails unless always.
# Arguments go to test/measure/measure.py: `scripts/measure.sh --quick schemas`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$PWD/.cache/test}
export INGOT_BIN=$PWD/bin/ingot INGOT_HOME=$INGOT_TEST_CACHE/home

make --no-print-directory build
"$INGOT_BIN" engine install
"$INGOT_BIN" pull smollm2
exec test/measure/run.sh "$@"
