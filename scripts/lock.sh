#!/usr/bin/env bash
# Moves the packages of the client tests to the newest versions that this machine's Python, Node, Go and Java admit, and says
# which moved: `scripts/lock.sh [FOLDER…]`, all folders with a lock where none is named. A lock that cannot be made anew, for
# want of a network or because packages contradict each other, stays as it was, and the exit status says so.
#
#   requirements.in   → requirements.txt              pip
#   package.json      → package.json, the lock file   npm; each direct package, exact
#   go.mod            → go.mod, go.sum                go get; the modules named by it, and what they need
#   pom.xml           → pom.xml                       maven; releases, and betas of what has nothing else
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

# Each make_* makes its files anew in a folder that has copies of them; versions_* prints their `package version` lines.
make_python() {
	python3 -m pip install --quiet --disable-pip-version-check --dry-run --ignore-installed --report report.json -r requirements.in
	python3 - >requirements.txt <<-'PY'
		import json
		found = {i["metadata"]["name"]: i["metadata"]["version"] for i in json.load(open("report.json"))["install"]}
		for name in sorted(found, key=str.lower):
		    print(f"{name}=={found[name]}")
	PY
}
versions_python() { sed 's/==/ /' requirements.txt; }

make_npm() {
	local names
	names=$(node -p 'Object.keys(require("./package.json").dependencies).map(name => name + "@*").join("\n")')
	node -e '
		const fs = require("node:fs"), {dependencies, ...rest} = require("./package.json");
		fs.writeFileSync("package.json", JSON.stringify({...rest, dependencies: {}}, null, 2) + "\n");'
	rm package-lock.json
	# shellcheck disable=SC2086 # one word per package
	npm install --package-lock-only --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error $names
	node -e '
		const fs = require("node:fs"), lock = require("./package-lock.json");
		for (const entry of Object.values(lock.packages)) { delete entry.resolved; delete entry.funding; }
		fs.writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");'
}
versions_npm() {
	node -p 'Object.entries(require("./package-lock.json").packages).filter(([path]) => path).map(([path, entry]) => path.replace(/^node_modules\//, "") + " " + entry.version).join("\n")'
}

make_go() { # in its own folder, as a go.mod may name its neighbours; what it writes is here
	local modules
	modules=$(go list -C "$from" -modfile="$PWD/go.mod" -m -f '{{if not (or .Main .Replace .Indirect)}}{{.Path}}@latest{{end}}' all)
	# shellcheck disable=SC2086 # one word per module
	go get -C "$from" -modfile="$PWD/go.mod" $modules
	go mod tidy -C "$from" -modfile="$PWD/go.mod"
}
versions_go() { go mod edit -json | python3 -c 'import json, sys; [print(r["Path"], r["Version"]) for r in json.load(sys.stdin)["Require"] or []]'; }

make_maven() {
	mvn --batch-mode --quiet org.codehaus.mojo:versions-maven-plugin:use-latest-releases -DgenerateBackupPoms=false \
		'-Dmaven.version.ignore=(?i).*[-.](alpha|beta|rc|cr|m)[-.]?\d*'
}
versions_maven() {
	python3 - <<-'PY'
		import re
		for name, version in re.findall(r"<artifactId>([^<]+)</artifactId>\s*<version>([^<]+)</version>", open("pom.xml").read()):
		    print(name, version)
	PY
}

export -f make_{python,npm,go,maven} versions_{python,npm,go,maven}

moved() { # BEFORE AFTER
	awk 'FILENAME == ARGV[1] {was[$1] = $2; next}
		!($1 in was) {print "  " $1 " " $2 " is new"}
		$1 in was && was[$1] != $2 {print "  " $1 " " was[$1] " -> " $2}
		{delete was[$1]}
		END {for (name in was) print "  " name " is gone"}' "$1" "$2" | sort
}

lock() { # FOLDER KIND FILE…
	local folder=$1 kind=$2 file
	shift 2
	work=$(mktemp -d)
	for file; do [[ ! -e $folder/$file ]] || cp "$folder/$file" "$work"; done
	# A shell of its own, as errexit does not hold in a condition.
	if (cd "$work" && from=$root/$folder bash -euo pipefail -c "versions_$kind >.before 2>.none || :; make_$kind; versions_$kind >.after") >"$work/.said" 2>&1; then
		echo "$folder: $(wc -l <"$work/.after") packages"
		moved "$work/.before" "$work/.after"
		for file; do [[ ! -e $work/$file ]] || cmp -s "$work/$file" "$folder/$file" || cp "$work/$file" "$folder/$file"; done
		rm -rf "$work"
	else
		echo "$folder: kept as it was"
		sed 's/^/  /' "$work/.said"
		rm -rf "$work"
		return 1
	fi
}

if (($# == 0)); then
	mapfile -t folders < <(git ls-files -co --exclude-standard '*requirements.in' '*package-lock.json' '*pom.xml' 'test/*go.mod' 'examples/*go.mod' | xargs -n 1 dirname)
	set -- "${folders[@]}"
fi
rc=0 work=
trap 'rm -rf "$work"' EXIT
for folder; do
	folder=${folder%/}
	if [[ -e $folder/requirements.in ]]; then
		lock "$folder" python requirements.in requirements.txt || rc=1
	elif [[ -e $folder/package-lock.json ]]; then
		lock "$folder" npm package.json package-lock.json || rc=1
	elif [[ -e $folder/go.mod ]]; then
		lock "$folder" go go.mod go.sum || rc=1
	elif [[ -e $folder/pom.xml ]]; then
		lock "$folder" maven pom.xml || rc=1
	else
		echo "lock.sh: no requirements.in, package-lock.json, go.mod or pom.xml in $folder" >&2
		rc=2
	fi
done
exit $rc
