#!/usr/bin/env bash
# Tests LangChain and the AI SDK against INGOT_BIN (bin/ingot): mock models, and smollm2 and minilm on the real engine, which are in
# the data folder INGOT_HOME. Arguments go to node --test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot} INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

place=$("$root/scripts/node.sh" frameworks-js)
rm -f "$place"/*.js
cp ./*.js ../js/server.js "$place"
cd "$place"

authority=$(mktemp -d)
trap 'rm -rf "$authority"' EXIT
export INGOT_TEST_TLS=$authority/tls
INGOT_HOME=$authority "$INGOT_BIN" trust >/dev/null

export LANGSMITH_TRACING=false NODE_OPTIONS=--import=./guard.js
node --test --test-reporter=spec "$@"
