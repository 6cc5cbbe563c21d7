# The shell of a guide's reader, with the other terminal in which `ingot serve` runs.
set -euo pipefail

at=0 server=
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
	if ((status != 0)); then
		echo "the block at line $at failed:"
		cat "output-$at" serve.err 2>/dev/null || true
	fi >&3
	stop || status=1
	exit "$status"
}
trap finish EXIT

ingot() {
	if [[ ${1-} != serve ]]; then
		command ingot "$@"
		return
	fi
	stop
	# What runs in the background of a script does not hear of Ctrl-C unless it is told.
	command ingot "$@" --listen "$LISTEN" >serve.out 2>serve.err 3>&- &
	server=$!
	until grep -q '^Ready' serve.out; do
		kill -0 "$server" 2>/dev/null || { cat serve.err && return 1; }
		sleep 0.05
	done
	cat serve.out
}

