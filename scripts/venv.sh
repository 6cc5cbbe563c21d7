#!/usr/bin/env bash
# Makes a virtual environment of what requirements.txt of the current folder names, and says where: venv.sh NAME. It is kept in
# INGOT_TEST_CACHE until requirements.txt or python3 changes. One process at a time makes it: half of one installs into python3 itself.
set -euo pipefail

hash=$({ cat requirements.txt; python3 -VV; } | sha256sum)
venv=$INGOT_TEST_CACHE/$1-${hash:0:16}
mkdir -p "$INGOT_TEST_CACHE"
exec 9>"$venv.lock"
python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' # it is the shell's until it ends
if [[ ! -e $venv/installed ]]; then
	exec 7>"$INGOT_TEST_CACHE/installing.1" 8>"$INGOT_TEST_CACHE/installing.2" # not more than two at a time
	python3 - <<-'PY'
		import fcntl
		try: fcntl.flock(7, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except OSError: fcntl.flock(8, fcntl.LOCK_EX)
	PY
	python3 -m venv --clear "$venv" >&2
	PIP_REQUIRE_VIRTUALENV=1 "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt >&2
	touch "$venv/installed"
fi
echo "$venv"
