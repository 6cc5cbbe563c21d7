#!/usr/bin/env bash
# Runs the pinned golangci-lint on both modules: `scripts/lint.sh run`, `scripts/lint.sh fmt`.
# The linter is built once per version into .cache/tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=github.com/golangci/golangci-lint/v2
version=$(go -C tools list -m -f '{{.Version}}' "$module")
linter=$PWD/.cache/tools/golangci-lint-$version-$(go env GOVERSION)
if [[ ! -x $linter ]]; then
	echo "building golangci-lint $version (once, some minutes)" >&2
	mkdir -p "${linter%/*}"
	go -C tools build -trimpath -o "$linter.$$" "$module/cmd/golangci-lint"
	mv "$linter.$$" "$linter"
fi

status=0
for dir in . client; do
	(cd "$dir" && "$linter" "$@" ./...) || status=1
done
exit $status
