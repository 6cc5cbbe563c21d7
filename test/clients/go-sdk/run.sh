#!/usr/bin/env bash
# Tests the Go SDK of this repository, client/, and the examples in Go against INGOT_BIN (bin/ingot): mock models, and smollm2
# and minilm on the real engine from the data folder INGOT_HOME. Arguments go to go test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot} INGOT_TEST_ROOT=$root
export INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

go vet ./...
go -C "$root/examples/go" vet ./...
exec go test -count 1 -timeout 5m "$@" ./...
