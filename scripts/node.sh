#!/usr/bin/env bash
# Installs what package-lock.json of the current folder names, and says into which node_modules: node.sh NAME. They are kept in
# INGOT_TEST_CACHE until package-lock.json or node changes; half an installation is never seen there.
set -euo pipefail

hash=$({ cat package-lock.json; node --version; } | sha256sum)
place=$INGOT_TEST_CACHE/$1-${hash:0:16}
if [[ ! -e $place ]]; then
	mkdir -p "$INGOT_TEST_CACHE"
	half=$(mktemp -d "$place.XXXXXX")
	trap 'rm -rf "$half"' EXIT
	cp package.json package-lock.json "$half"
	npm ci --prefix "$half" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	[[ -e $place ]] || mv "$half" "$place"
fi
echo "$place/node_modules"
