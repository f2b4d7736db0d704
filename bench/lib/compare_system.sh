# shellcheck shell=bash
# shellcheck disable=SC2034 # those that source this use the variables
# SPDX-License-Identifier: MIT
#
# What bench/compare compares: setting a system up, running programs in it, taking it down.
#
#	system_up us                  # its cgroup, swap, daemon, latency request
#	system_run sort ...           # waits; dies if it fails
#	system_start redis-server ... # does not wait; system_stop ends it, and system_down, too
#	system_down                   # ends and removes all of it
#
# PIN holds words to start daemon and programs with (taskset -c 0), or none: until system_down.
# HEAP holds options of pagerctl run: --no-heap, or none for a program whose malloc is to be paged
# as well.

SYSTEM_ALL=(us us-nolatency us-threads kernel kernel-latency device device-latency mechanism mechanism-latency
	plain peer)
SYSTEM_UNKNOWN=
PAGE_BYTES=4096
BESIDE_MIB=64 # what daemon and program may take beside the budget

PIN=()
HEAP=(--no-heap)
SYSTEM_COMMAND=() # words that a program is started with in the system
DAEMON_PID=
CHILD_PID=
SERVER_PID=
LATENCY_FD=

# systems_known LIST: else SYSTEM_UNKNOWN says which is not.
systems_known() {
	for SYSTEM_UNKNOWN in ${1//,/ }; do
		[[ " ${SYSTEM_ALL[*]} " == *" $SYSTEM_UNKNOWN "* ]] || return 1
	done
}

# Advised is one system with what is not.
system_wanted() {
	[ "$1" != peer ] || [ -n "$PEER" ] || return 1
	[[ ,$SYSTEMS, == *,"${1%-advised}",* ]]
}

latency_hold() {
	exec {LATENCY_FD}>/dev/cpu_dma_latency || die "/dev/cpu_dma_latency cannot be held"
	printf '\0\0\0\0' >&"$LATENCY_FD"
}

latency_release() {
	[ -z "$LATENCY_FD" ] || exec {LATENCY_FD}>&-
	LATENCY_FD=
}

# Room for five times the budget: more than any case has. A group may have a budget of its own.
swap_on() {
	local file=$WORK/swapfile bytes=$(((MEMORY * 5 + 16) << 20))
	if ! [ -e "$file" ] || [ "$(stat -c %s "$file")" -lt $bytes ]; then
		fallocate -l $bytes "$file" || die "no room for swap in $DIR"
		chmod 600 "$file"
		mkswap "$file" >/dev/null || die "mkswap failed"
	fi
	# Before any other swap that the machine has.
	swapon -p 32767 "$file" || die "swapon failed"
}

swap_off() {
	! grep -q "^$WORK/swapfile " /proc/swaps || swapoff "$WORK/swapfile"
}

daemon_answers() {
	kill -0 "$DAEMON_PID" 2>/dev/null || die "pagerd ended: $(cat "$WORK/daemon.log")"
	"$PAGERD_BUILD/client/pagerctl" status >/dev/null 2>&1
}

# daemon_start [OPTION...]
daemon_start() {
	local try
	mkdir -p "$WORK/swap"
	(cgroup_exec "${PIN[@]}" "$PAGERD_BUILD/daemon/pagerd" --socket "$PAGERD_SOCKET" \
		--memory "${MEMORY}M" --swap "$WORK/swap" "$@" >"$WORK/daemon.log" 2>&1) &
	DAEMON_PID=$!
	for ((try = 0; try < 600; try++)); do
		daemon_answers && return
		sleep 0.05
	done
	die "pagerd does not answer"
}

# process_end NAME SIGNAL: end the process whose number the variable NAME has, if there is one.
process_end() {
	local -n pid=$1
	[ -n "$pid" ] || return 0
	kill "-$2" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	pid=
}

daemon_stop() {
	process_end DAEMON_PID TERM
}

system_up() {
	SYSTEM_COMMAND=("${PIN[@]}")
	case $1 in
	kernel*)
		cgroup_make $((MEMORY << 20)) swap || die "no cgroup"
		swap_on
		;;
	plain) cgroup_make $((MEMORY << 24)) || die "no cgroup" ;;
	*) cgroup_make $(((MEMORY + BESIDE_MIB) << 20)) || die "no cgroup" ;;
	esac
	[[ $1 != *-latency* ]] || latency_hold
	case $1 in
	us) daemon_start ;;
	us-nolatency) daemon_start --low-latency off ;;
	us-threads) daemon_start --threads "$(nproc)" ;;
	*) return ;;
	esac
	SYSTEM_COMMAND+=("$PAGERD_BUILD/client/pagerctl" run "${HEAP[@]}" --)
}

# child_run COMMAND...: wait for it, so that a signal is heeded meanwhile; its status.
child_run() {
	local status
	"$@" <&0 & # else its input is /dev/null
	CHILD_PID=$!
	wait "$CHILD_PID"
	status=$?
	CHILD_PID=
	return "$status"
}

child_end() {
	process_end CHILD_PID KILL
}

# system_try COMMAND...: run it in the system; its status. It dies if the kernel had to kill.
system_try() {
	local status
	child_run cgroup_exec "${SYSTEM_COMMAND[@]}" "$@"
	status=$?
	[ "$(cgroup_kills)" = 0 ] || die "the kernel killed something for memory: $*"
	return "$status"
}

system_run() {
	system_try "$@" || die "status $? from $*; $(cat "$WORK/daemon.log" 2>/dev/null)"
}

system_start() {
	cgroup_exec "${SYSTEM_COMMAND[@]}" "$@" <&0 &
	SERVER_PID=$!
}

# pagerctl run passes the signal on.
system_stop() {
	process_end SERVER_PID TERM
}

system_down() {
	child_end
	system_stop
	latency_release
	daemon_stop
	cgroup_remove
	swap_off
	PIN=()
}

# ---- files -----------------------------------------------------------------------------------

# file_cold PATH: what is in it is on the disk, and not in the page cache.
file_cold() {
	"$ROOT/tests/lib/uncache" "$1" || die "$1 is still cached"
	[ ! -w /proc/sys/vm/drop_caches ] || echo 3 >/proc/sys/vm/drop_caches
}

# file_create PATH PAGES: see bench/load/page.h.
file_create() {
	child_run "$LOAD" --pages "$2" --file "$1" create || die "no file"
}
