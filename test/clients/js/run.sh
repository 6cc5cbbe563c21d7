#!/usr/bin/env bash
# Tests the @azure-rest/ai-inference and openai SDKs, and the samples of examples/js, against INGOT_BIN (bin/ingot): mock models, and
# smollm2 and minilm on the real engine, which are in the data folder INGOT_HOME. All is run without TLS and then with it, as node reads
# NODE_EXTRA_CA_CERTS only when it starts. Arguments go to node --test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot} INGOT_TEST_ROOT=$root
export INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

# Modules are looked for beside the files that import them, so tests and samples run beside a link to the installed ones.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$("$root/scripts/node.sh" js)" "$work/node_modules"
mkdir -p "$work/examples/js"
cp package.json ./*.js "$work"
cp "$root"/examples/js/{*.js,package.json} "$work/examples/js"
cp -r "$root"/examples/{pictures,texts} "$work/examples"
cd "$work"

export INGOT_TEST_TLS=$work/authority/tls
INGOT_HOME=$work/authority "$INGOT_BIN" trust >/dev/null

export NODE_OPTIONS="--import=$work/guard.js"
rc=0
INGOT_TEST_SCHEME=http node --test --test-reporter=spec "$@" || rc=1
INGOT_TEST_SCHEME=https NODE_EXTRA_CA_CERTS=$INGOT_TEST_TLS/ca.pem node --test --test-reporter=spec "$@" || rc=1
exit $rc
