#!/usr/bin/env bash
# Sends what Azure.AI.Inference for .NET sends to INGOT_BIN (bin/ingot), and reads the answers by its rules. Arguments go to go
# test. No .NET is run: the tests are in Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot}
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

go vet ./...
exec go test -count 1 -timeout 5m "$@" .
