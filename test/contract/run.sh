#!/usr/bin/env bash
# Holds INGOT_BIN (bin/ingot) to the OpenAPI document that it serves: contract.py. EXAMPLES (10) is the number of random
# requests for each operation; arguments go to schemathesis.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot}
export PYTHONDONTWRITEBYTECODE=1
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

venv=$("$root/scripts/venv.sh" contract)
exec "$venv/bin/python" contract.py "$@"
