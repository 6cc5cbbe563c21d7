#!/usr/bin/env bash
# Does what doc/guides says with INGOT_BIN (bin/ingot), and the engine, smollm2 and minilm of the data folder INGOT_HOME, page by
# page. Python and JavaScript run with the modules of test/clients. Arguments go to go test: -run TestGuides/offline.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot}
export INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

if [[ ! -e $INGOT_HOME/models/smollm2.gguf || ! -e $INGOT_HOME/models/minilm.gguf ]]; then
	"$INGOT_BIN" engine install
	"$INGOT_BIN" pull smollm2 minilm
fi

INGOT_TEST_PYTHON=$(cd "$root/test/clients/python" && "$root/scripts/venv.sh" python)/bin/python
INGOT_TEST_NODE_MODULES=$(cd "$root/test/clients/js" && "$root/scripts/node.sh" js)
export INGOT_TEST_PYTHON INGOT_TEST_NODE_MODULES
exec go test -tags guides -count 1 -parallel 2 -timeout 10m "$@" .
