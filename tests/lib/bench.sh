# shellcheck shell=bash
# shellcheck disable=SC2034 # those that source this use the variables
# SPDX-License-Identifier: MIT
# For the tests of pagerbench. To be sourced after test.sh.

BENCH=$PAGERD_BUILD/bench/pagerbench
export PAGERD_DAEMON=${DAEMON:-$PAGERD_BUILD/daemon/pagerd}

# Nothing of ours is left: no swap, no file, no socket, no cgroup.
bench_left_nothing() {
	[ -z "$(ls -A "$SWAP")" ] || fail "left in $SWAP: $(ls -A "$SWAP")"
	! grep -q "$SWAP" /proc/swaps || fail "left swap on"
}
