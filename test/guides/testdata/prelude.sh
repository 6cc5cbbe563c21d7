# The shell of a guide's reader, with the other terminal in which `ingot serve` runs.
set -euo pipefail

at=0 server= watched=
exec 3>&2 # a block that fails has sent both streams elsewhere

# stop presses Ctrl-C in the other terminal.
stop() {
	[[ -n $server ]] || return 0
	local ending=$server
	server=
	kill -INT "$ending"
	wait "$ending" || { echo "ingot serve ended with $?:" && cat serve.err; return 1; } >&3
}

finish() {
	local status=$?
	trap - EXIT
	stop || status=1
	local pid
	for pid in $(jobs -p); do
		kill -INT "$pid" && wait "$pid" || status=1
	done
	if ((status != 0)); then
		echo "the block at line $at failed:"
		cat "output-$at" serve.err 2>/dev/null || true
	fi >&3
	exit "$status"
}
trap finish EXIT
trap 'exit 124' TERM # of timeout, when it has ended what runs

ingot() {
	if [[ ${1-} != serve ]]; then
		command ingot "$@"
		return
	fi
	# A page that says `ingot serve &` looks after it itself.
	((BASHPID == $$)) || exec "$(type -P ingot)" "$@" --listen "$LISTEN"
	stop
	: >serve.out # the background would do so some time later
	command ingot "$@" --listen "$LISTEN" >serve.out 2>serve.err 3>&- &
	server=$! watched=$*
	until grep -q '^Ready' serve.out; do
		kill -0 "$server" 2>/dev/null || { cat serve.err && return 1; }
		sleep 0.05
	done
	cat serve.out
}

# reloads counts the times that the endpoint has read its file again, and taken or refused it.
reloads() { grep -cs 'msg="configuration re' serve.err || true; }

# configure FILE makes it ingot.yaml, and waits as long as it takes an endpoint that uses it to notice.
configure() {
	local tries before
	before=$(reloads)
	cp "$1" ingot.yaml
	[[ -n $server && $watched == *ingot.yaml* ]] || return 0
	for ((tries = 0; tries < 1200; tries++)); do
		((before == $(reloads))) || return 0
		sleep 0.05
	done
	echo 'the endpoint does not notice another ingot.yaml' >&3
	return 1
}

