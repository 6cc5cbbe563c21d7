#!/usr/bin/env bash
# Installs what package-lock.json of the current folder names, and says where: node.sh NAME. It is kept in INGOT_TEST_CACHE until
# package-lock.json or node changes. Modules are looked for beside the files that import them, so that is where those have to run.
set -euo pipefail

hash=$({ cat package-lock.json; node --version; } | sha256sum)
place=$INGOT_TEST_CACHE/$1-${hash:0:16}
if [[ ! -e $place/installed ]]; then
	mkdir -p "$place"
	cp package.json package-lock.json "$place"
	npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	touch "$place/installed"
fi
echo "$place"
