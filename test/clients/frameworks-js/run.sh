#!/usr/bin/env bash
# Tests LangChain and the AI SDK against INGOT_BIN (bin/ingot): mock models, and smollm2 and minilm on the real engine, which are in
# the data folder INGOT_HOME. Arguments go to node --test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot}
export INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

# Modules are looked for beside the files that import them, so tests run beside a link to the installed ones.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$("$root/scripts/node.sh" frameworks-js)" "$work/node_modules"
cp package.json ./*.js ../js/{guard,server}.js "$work"
cd "$work"

export INGOT_TEST_TLS=$work/authority/tls
INGOT_HOME=$work/authority "$INGOT_BIN" trust >/dev/null

LANGSMITH_TRACING=false NODE_OPTIONS="--import=$work/guard.js" node --test --test-reporter=spec "$@"
