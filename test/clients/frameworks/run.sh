#!/usr/bin/env bash
# Tests frameworks that speak to models through the inference SDK or OpenAI's, against INGOT_BIN (bin/ingot) with mock models:
# all folders here, or the named ones. Frameworks that contradict each other have an environment each. Two at a time are
# installed and tested; what each says is printed whole.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)

export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$root/.cache/test}
export INGOT_BIN=${INGOT_BIN:-$root/bin/ingot}
export PYTHONDONTWRITEBYTECODE=1
[[ -x $INGOT_BIN ]] || { echo "run.sh: no $INGOT_BIN: run make build" >&2; exit 1; }

(($#)) || set -- */requirements.txt
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT

suite() { # NAME
	cd "$1"
	{
		printf '\n-- %s\n' "$1"
		venv=$("$root/scripts/venv.sh" "$1") && "$venv/bin/python" -m pytest -c ../pytest.ini --rootdir .. . ../test_guard.py
	} >"$said/$1" 2>&1 || touch "$said/$1.failed"
	flock "$said" cat "$said/$1"
}
export root said
export -f suite
printf '%s\n' "${@%%/*}" | xargs -P 2 -I {} bash -c 'suite {}'

failed=$(cd "$said" && find . -name '*.failed' -printf '%f ')
[[ -z $failed ]] || { echo "run.sh: failed: ${failed//.failed/}" >&2; exit 1; }
