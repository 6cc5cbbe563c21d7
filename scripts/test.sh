#!/usr/bin/env bash
# Runs the checks of `make test`, all or the named ones: `scripts/test.sh lint unit`.
# Every stage runs even when an earlier one failed; the exit status says whether all passed.
#
#   lint       go vet, golangci-lint, tidy go.mod, both modules
#   generated  go generate leaves no difference
#   unit       tests of both modules under the race detector
#   cross      CGO_ENABLED=0 builds for six platforms
#   fuzz       every fuzz target for FUZZTIME (10s)
#   engine     tests tagged engine: a real engine and real models
#   sdk        every client of test/clients against bin/ingot: the SDKs of all languages and the frameworks above them; README's
#              table of what they reach, and doc/reference/clients.md
#   guides     what doc/guides says to do, done
#   contract   the OpenAPI document of bin/ingot: valid, and kept with whatever requests (schemathesis)
#   measure    a few schemas and tools of make measure, judged by an independent validator
#   fresh      make run in a clean clone with an empty home
#   check      lint generated unit cross: needs no network once the modules are here, and no engine
#
# INGOT_TEST_CACHE (.cache/test) keeps the engine and the models between runs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

all=(lint generated unit cross fuzz engine sdk guides contract measure fresh)
export INGOT_TEST_CACHE=${INGOT_TEST_CACHE:-$PWD/.cache/test}

stages=()
for arg in "$@"; do
	case $arg in
	check) stages+=(lint generated unit cross) ;;
	lint | generated | unit | cross | fuzz | engine | sdk | guides | contract | measure | fresh) stages+=("$arg") ;;
	*)
		echo "test.sh: no stage named '$arg'; there are: ${all[*]} check" >&2
		exit 2
		;;
	esac
done
((${#stages[@]})) || stages=("${all[@]}")

# need COMMAND-LINE WHAT PACKAGES: complains unless the command succeeds.
missing=0
need() {
	bash -c "$1" >/dev/null 2>&1 && return
	echo "test.sh: missing $2; on Debian: apt-get install -y $3" >&2
	missing=1
}

check_tools() {
	need 'git --version' git git
	need 'go version' 'go (1.21 or newer fetches the release that go.mod names)' golang-go
	need 'gcc --version' 'gcc, which the race detector links with' 'gcc libc6-dev'
	case " ${stages[*]} " in *' engine '* | *' sdk '* | *' guides '* | *' contract '* | *' measure '* | *' fresh '*)
		need 'python3 -c "import sys; sys.exit(sys.version_info < (3, 10))"' 'python3 3.10 or newer' python3
		need 'python3 -m pip --version' 'pip of python3' python3-pip
		need 'python3 -c "import venv, ensurepip"' 'venv of python3' python3-venv
		;;
	esac
	case " ${stages[*]} " in *' sdk '* | *' guides '*)
		need 'node -e "process.exit(Number(parseInt(process.versions.node) < 20))"' 'node 20 or newer' nodejs
		need 'npm --version' npm npm
		need 'java --version' 'java 17 or newer' openjdk-17-jdk-headless
		need 'mvn --version' maven maven
		need 'curl --version' curl curl
		;;
	esac
	((missing == 0)) || exit 1
}

build() { make --no-print-directory build; }

# every runs a command in each module and fails if it failed in one.
every() {
	local rc=0 dir
	for dir in . client; do (cd "$dir" && "$@") || rc=1; done
	return $rc
}

lint() {
	local rc=0
	every go vet ./... || rc=1
	every go mod tidy -diff || rc=1
	scripts/lint.sh run || rc=1
	return $rc
}

snapshot() { git ls-files -zco --exclude-standard | xargs -0 sha256sum 2>/dev/null || true; }

generated() {
	local before
	before=$(snapshot)
	go generate ./...
	if ! diff <(echo "$before") <(snapshot); then
		echo "generated: the files above are out of date; run 'go generate ./...' and commit them" >&2
		return 1
	fi
}

unit() { every go test -race -timeout 5m ./...; }

cross() {
	local os arch
	for os in linux darwin windows; do
		for arch in amd64 arm64; do
			echo "$os/$arch"
			CGO_ENABLED=0 GOOS=$os GOARCH=$arch every go build ./...
		done
	done
}

fuzz_one() { # DIR PACKAGE TARGET
	local out try
	for try in 1 2; do
		if out=$(go -C "$1" test -run '^$' -fuzz "^$3\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 5s -parallel 1 "$2" 2>&1); then
			echo "ok $2 $3: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -n 1)"
			return
		fi
		# A busy machine can be late to stop a worker, which go reports without an input that fails: only that is tried again.
		if ((try == 2)) || grep -q 'Failing input' <<<"$out" || ! grep -q 'context deadline exceeded' <<<"$out"; then
			echo "$out"
			return 1
		fi
	done
}

# Four targets at a time, one worker each: the length of the stage does not depend on the machine.
fuzz() {
	local dir list targets=""
	for dir in . client; do
		list=$(go -C "$dir" test -list '^Fuzz' ./...)
		targets+=$(awk -v dir="$dir" '/^Fuzz/ {t[n++] = $1} /^ok/ {for (i = 0; i < n; i++) print dir, $2, t[i]; n = 0}' <<<"$list")$'\n'
	done
	export -f fuzz_one
	sed '/^$/d' <<<"$targets" | xargs -r -P 4 -L 1 bash -c 'fuzz_one "$@"' fuzz
}

# The product itself brings the engine and the models into the test cache.
prepare() {
	build
	export INGOT_BIN=$PWD/bin/ingot INGOT_HOME=$INGOT_TEST_CACHE/home
	"$INGOT_BIN" engine install
	"$INGOT_BIN" pull smollm2 minilm
	INGOT_TEST_ENGINE=$("$INGOT_BIN" engine path)
	INGOT_TEST_MODEL=$(find "$INGOT_HOME" -name smollm2.gguf -print -quit)
	export INGOT_TEST_ENGINE INGOT_TEST_MODEL
}

engine() {
	prepare
	local packages
	packages=$(git grep -lE --untracked '^//go:build engine' -- '*_test.go' | xargs -r -n 1 dirname | sort -u | sed 's|^|./|')
	[[ -n $packages ]] || { echo "engine: no test is tagged engine" >&2; return 1; }
	# shellcheck disable=SC2086 # one word per package
	go test -tags engine -count 1 -p 1 -timeout 10m $packages
}

# Every suite of clients, two at a time; what each says comes whole, when it ends.
sdk() {
	prepare
	export INGOT_TEST_DOORS=$INGOT_TEST_CACHE/doors
	rm -rf "$INGOT_TEST_DOORS" && mkdir -p "$INGOT_TEST_DOORS"
	export -f suite
	local longest=(frameworks python java)
	{ printf '%s\n' "${longest[@]}"; (cd test/clients && dirname ./*/run.sh | sed 's|^./||'); } | awk '!seen[$0]++' | xargs -P 2 -I {} bash -c 'suite {}' || return 1
	test/clients/table.py "$@"
}

suite() { # NAME
	local said start=$SECONDS rc=0
	said=$(mktemp)
	"test/clients/$1/run.sh" >"$said" 2>&1 || rc=$?
	printf '\n-- clients: %s (%d s)\n%s\n' "$1" $((SECONDS - start)) "$(cat "$said")"
	rm "$said"
	((rc == 0)) || { echo "clients: $1 failed"; return 1; }
}

guides() {
	prepare
	test/guides/run.sh
}

contract() {
	build
	test/contract/run.sh
}

measure() {
	prepare
	test/measure/run.sh --quick
}

fresh() { scripts/fresh.sh; }

check_tools
passed=0 failed=0 report=""
for stage in "${stages[@]}"; do
	printf '\n== %s\n' "$stage"
	start=$SECONDS
	(
		set -e
		"$stage"
	)
	# The status of a subshell in a condition would switch its errexit off.
	# shellcheck disable=SC2181
	if (($? == 0)); then
		verdict=ok passed=$((passed + 1))
	else
		verdict=FAILED failed=$((failed + 1))
	fi
	report+=$(printf '%-10s %-6s %4d s' "$stage" "$verdict" $((SECONDS - start)))$'\n'
done
printf '\n%s%d s in all\n%d passed, %d failed\n' "$report" "$SECONDS" "$passed" "$failed"
((failed == 0))
