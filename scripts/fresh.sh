#!/usr/bin/env bash
# `make run` as a stranger has it: in a clean clone of HEAD, with HOME, the XDG folders, INGOT_HOME,
# GOCACHE and the caches of pip and npm all empty. Then every sample that it printed is pasted, a
# second run must be ready within five seconds without a network, and Ctrl-C must leave nothing behind.
# How the machine's own clients are set up (package mirrors, proxies, certificates) is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

top=$(mktemp -d)
run=
finish() {
	[[ -z $run ]] || kill -KILL -- "-$run" 2>/dev/null || true
	chmod -R u+w "$top" && rm -rf "$top"
}
trap finish EXIT
fail() {
	echo "fresh: $*" >&2
	[[ ! -f $top/out ]] || { echo '--- output of make run' && cat "$top/out"; } >&2
	exit 1
}

git clone --quiet --no-local . "$top/clone"
mkdir "$top/home"

environment=(
	HOME="$top/home" PATH="$PATH" TERM=dumb LANG=C.UTF-8 LISTEN=127.0.0.1:0
	XDG_DATA_HOME="$top/home/data" XDG_CACHE_HOME="$top/home/cache" XDG_CONFIG_HOME="$top/home/config"
	INGOT_HOME="$top/ingot" GOCACHE="$top/home/gocache"
	PIP_CACHE_DIR="$top/home/pip" npm_config_cache="$top/home/npm"
	GOENV="$(go env GOENV)" npm_config_userconfig="${npm_config_userconfig:-$HOME/.npmrc}"
)
while IFS= read -r name; do
	case $name in
	PIP_CACHE_DIR | PIP_REQUIRE_VIRTUALENV) ;;
	PIP_* | GOPROXY | GONOSUMDB | GOSUMDB | GOPRIVATE | GOFLAGS | *_proxy | *_PROXY | SSL_CERT_* | *_CA_BUNDLE | NODE_EXTRA_CA_CERTS)
		environment+=("$name=${!name}")
		;;
	esac
done < <(compgen -e)
for file in "${PIP_CONFIG_FILE:-}" "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf"; do
	if [[ -f $file ]]; then environment+=("PIP_CONFIG_FILE=$file") && break; fi
done

# start SECONDS NAME=VALUE…: `make run` in a process group of its own, until its samples are printed.
# ready is how many seconds it took until the endpoint was.
start() {
	local limit=$1 began=$SECONDS
	shift
	ready=
	: >"$top/out"
	set -m
	(cd "$top/clone" && exec env -i "${environment[@]}" "$@" make --no-print-directory run) >"$top/out" 2>&1 </dev/null &
	run=$!
	set +m
	until grep -q '^# --- end' "$top/out"; do
		kill -0 "$run" 2>/dev/null || fail 'make run ended by itself'
		((SECONDS - began <= limit)) || fail "no answer within $limit s"
		[[ -n $ready ]] || ! grep -q '^Ready\.' "$top/out" || ready=$((SECONDS - began))
		sleep 0.1
	done
	[[ -n $ready ]] || ready=$((SECONDS - began))
}

# interrupt is Ctrl-C on a terminal: SIGINT to the whole group.
interrupt() {
	kill -INT -- "-$run"
	wait "$run" 2>/dev/null || true
	run=
	local left
	left=$(grep -lz "$top/home" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 || true)
	[[ -z $left ]] || fail "Ctrl-C left processes behind: $(ps -o pid=,args= -p "${left//$'\n'/,}")"
}

sample() { sed -n "/^# --- $1\$/,/^# --- /p" "$top/out" | grep -v '^# --- '; }

paste_sample() { # NAME PHRASE
	mkdir -p "$top/paste"
	sample "$1" >"$top/paste/script"
	[[ -s $top/paste/script ]] || fail "make run printed no sample for $1"
	(cd "$top/paste" && env -i "${environment[@]}" bash ./script) >"$top/paste/out" 2>&1 ||
		fail "the sample for $1 failed: $(cat "$top/paste/out")"
	grep -q "$2" "$top/paste/out" || fail "the sample for $1 said: $(cat "$top/paste/out")"
}

start 900
echo "fresh: first run ready after $ready s"
grep -A2 '^> What is the capital of France' "$top/out" | grep -q Paris || fail 'the answer does not name Paris'
paste_sample curl '"finish_reason":"stop"'
paste_sample Python '^384 dimensions'
paste_sample JavaScript Paris
interrupt

# Whoever tries the network now, fails.
start 60 PIP_NO_INDEX=1 GOPROXY=off http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
echo "fresh: second run, without a network, ready after $ready s"
((ready <= 5)) || fail "the second run took $ready s until it was ready"
interrupt
echo 'fresh: ok'
