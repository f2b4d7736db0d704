# shellcheck shell=bash
# shellcheck disable=SC2034 # those that source this use the variables
# SPDX-License-Identifier: MIT
#
# What the system tests share. A test is run by tests/run, which sets
#	PAGERD_BUILD   the build directory
#	TEST_DIR       an empty directory on a disk, removed afterwards
#	CGROUP_NAME    see cgroup.sh
#	DAEMON         the daemon to test; DAEMON_WRAPPER: words to start it with, or nothing
# A test exits with 0 (passed), 77 (skipped; the last line says why) or anything else (failed).
# Everything that it starts ends with it: what is to be undone is handed to at_exit.

set -u
export LC_ALL=C
MIB=$((1 << 20))
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/lib/cgroup.sh
. "$TESTS/lib/cgroup.sh"

CTL=$PAGERD_BUILD/client/pagerctl
read -r -a DAEMON_COMMAND <<<"${DAEMON_WRAPPER:-}"
DAEMON_COMMAND+=("${DAEMON:-$PAGERD_BUILD/daemon/pagerd}")
PROGRAMS=$PAGERD_BUILD/tests
SWAP=$TEST_DIR/swap
mkdir -p "$SWAP"
export PAGERD_SOCKET=$TEST_DIR/pagerd.sock
cd "$TEST_DIR" || exit 1

# Python itself, and no wrapper script of that name that is in the way.
PYTHON=$(python3 -c 'import sys; print(sys.executable)')

AT_EXIT=()
run_at_exit() {
	local i
	for ((i = ${#AT_EXIT[@]} - 1; i >= 0; i--)); do
		eval "${AT_EXIT[i]}"
	done
}
trap 'run_at_exit' EXIT
trap 'exit 143' TERM INT

# at_exit COMMAND: run it when the test ends, the latest first.
at_exit() {
	AT_EXIT+=("$1")
}

say() {
	echo "$*" >&2
}

fail() {
	say "FAILED: $*"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

must() {
	"$@" || fail "status $? from: $*"
}

# expect_status WANTED COMMAND...: output to the files "out" and "err".
expect_status() {
	local wanted=$1 status
	shift
	"$@" >out 2>err
	status=$?
	[ "$status" = "$wanted" ] && return 0
	cat out err >&2
	fail "status $status, not $wanted, from: $*"
}

# expect_text FILE EXTENDED-REGEX: case does not matter.
expect_text() {
	grep -Eqi -- "$2" "$1" && return 0
	cat "$1" >&2
	fail "$1 (above) says nothing that matches \"$2\""
}

# until_true WHAT COMMAND...: ask again, bounded, until the command succeeds.
until_true() {
	local what=$1 try
	shift
	for ((try = 0; try < 400; try++)); do
		"$@" && return 0
		sleep 0.05
	done
	fail "it never came true that $what"
}

# ---- processes -------------------------------------------------------------------------------

process_alive() {
	[ -d "/proc/$1" ] && ! grep -q '^State:.*zombie' "/proc/$1/status" 2>/dev/null
}

# end_process PID: end a child of this shell if it is there. A pagerctl passes SIGTERM on to its
# command; what does not heed it is killed.
end_process() {
	local try
	kill -TERM "$1" 2>/dev/null || return
	for ((try = 0; try < 60; try++)); do
		process_alive "$1" || break
		sleep 0.05
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# ---- the daemon ------------------------------------------------------------------------------

DAEMON_PID=
DAEMON_LOG=$TEST_DIR/daemon.log

daemon_answers() {
	process_alive "$DAEMON_PID" || {
		cat "$DAEMON_LOG" >&2
		fail "the daemon ended instead of serving"
	}
	"$CTL" status >/dev/null 2>&1
}

# daemon_start ARGS...: a daemon on $PAGERD_SOCKET with its swap in $SWAP, checking invariants.
daemon_start() {
	"${DAEMON_COMMAND[@]}" --socket "$PAGERD_SOCKET" --swap "$SWAP" --check-invariants "$@" \
		>>"$DAEMON_LOG" 2>&1 &
	DAEMON_PID=$!
	at_exit daemon_end
	until_true "the daemon answers" daemon_answers
}

# At exit, whatever happened: show what the daemon said, and end it.
daemon_end() {
	[ -n "$DAEMON_PID" ] || return 0
	say "---- the daemon's log"
	tail -n 100 "$DAEMON_LOG" >&2
	end_process "$DAEMON_PID"
}

daemon_must_live() {
	process_alive "$DAEMON_PID" || fail "the daemon died: $1"
	"$CTL" status >/dev/null || fail "the daemon does not answer: $1"
}

# End the daemon as a service manager would; it must say that all was well.
daemon_stop() {
	local status
	kill -TERM "$DAEMON_PID" || fail "no daemon to stop"
	wait "$DAEMON_PID"
	status=$?
	DAEMON_PID=
	[ "$status" = 0 ] || {
		cat "$DAEMON_LOG" >&2
		fail "the daemon ended with status $status"
	}
	[ ! -e "$PAGERD_SOCKET" ] || fail "the daemon left its socket behind"
	[ -z "$(ls -A "$SWAP")" ] || fail "the daemon left files in $SWAP"
}

# value_of KEY COMMAND...: one value of the JSON that pagerctl COMMAND --json prints.
value_of() {
	local key=$1
	shift
	"$CTL" "$@" --json | "$PYTHON" "$TESTS/lib/json_get" "$key"
}

# client_value KEY [PID]: the same of what pagerctl stat says of a client, or the only one.
client_value() {
	local key=$1
	shift
	value_of "clients.0.$key" stat "$@"
}

# Nobody has any memory, and nothing is in swap.
daemon_is_empty() {
	process_alive "$DAEMON_PID" || fail "the daemon died"
	[ "$(value_of used_pages status)" = 0 ] && [ "$(value_of swap_pages stat)" = 0 ]
}

# start_program OUT COMMAND...: in the background, its output to the file OUT; it goes on, when it
# waits for a line, with "tell_program". Its process is $PROGRAM. One at a time.
start_program() {
	local out=$1
	shift
	rm -f "$out.go"
	mkfifo "$out.go"
	: >"$out"
	"$@" <"$out.go" >"$out" &
	PROGRAM=$!
	at_exit "end_process $PROGRAM"
	exec 7>"$out.go"
}

program_said() {
	grep -q "$1" "$2" || ! process_alive "$PROGRAM"
}

# program_says WORD OUT: wait until it has said that.
program_says() {
	until_true "the program says $1" program_said "$1" "$2"
	grep -q "$1" "$2" || fail "the program ended before it said $1"
}

# Let it go on.
tell_program() {
	echo >&7
}

# program_ends WHAT: wait for it; it must end well.
program_ends() {
	local status
	wait "$PROGRAM"
	status=$?
	[ "$status" = 0 ] || fail "status $status from the program $1"
}

# ---- programs in less memory than they need ---------------------------------------------------

# group BYTES: make a cgroup with that limit. It goes with memory_kept_to, or at exit.
group() {
	cgroup_find || skip "$CGROUP_WHY"
	cgroup_make "$1" || fail "no cgroup"
	at_exit cgroup_remove
}

# paged_group MIB: a cgroup for a private daemon with that budget and its command together.
paged_group() {
	group $((($1 + 64) * MIB))
}

# paged_exec MIB COMMAND...: in a subshell: become the command, run in the group under a private
# daemon with that budget.
paged_exec() {
	local budget=$1
	shift
	cgroup_exec "$CTL" run --memory "${budget}M" --swap "$SWAP" --verbose -- "$@"
}

# paged MIB COMMAND...: both; the command's status. The group stays, for memory_kept_to.
paged() {
	paged_group "$1"
	(paged_exec "$@")
}

# Nothing in the group was killed or swapped out by the kernel.
memory_kept_to() {
	say "cgroup: at most $(($(cgroup_max) / MIB)) MiB, $(cgroup_kills) kills"
	[ "$(cgroup_kills)" = 0 ] || fail "the kernel killed a process of the cgroup"
	[ "$(cgroup_swap)" = 0 ] || fail "the kernel swapped"
	must cgroup_remove
}
