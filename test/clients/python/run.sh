#!/usr/bin/env bash
# Tests the azure-ai-inference and openai SDKs, and the samples of examples/python, against INGOT_BIN (bin/ingot): mock models, and
# smollm2 and minilm on the real engine from the data folder INGOT_HOME. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot}
export INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
export PYTHONDONTWRITEBYTECODE=1
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

venv=$("$root/scripts/venv.sh" python)
exec "$venv/bin/python" -m pytest "$@"
