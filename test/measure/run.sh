#!/usr/bin/env bash
# Asks smollm2 on the real engine, through INGOT_BIN (bin/ingot), for what a grammar has to make right,
# and fails on any answer that an independent validator refuses. Arguments go to measure.py.
#
# The engine and the model come from the data folder INGOT_HOME, which is not locked: several runs may use it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot}
export INGOT_HOME=${INGOT_HOME:-$INGOT_TEST_CACHE/home}
export PYTHONDONTWRITEBYTECODE=1
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

venv=$("$root/scripts/venv.sh" measure)
exec "$venv/bin/python" -u measure.py "$@"
