# shellcheck shell=bash
# shellcheck disable=SC2034 # those that source this use the variables
# SPDX-License-Identifier: MIT
#
# How the stress program is run against a daemon. See tests/stress/options.h for its options.

# Pages of each kind of memory: four times a budget of 16 MiB.
STRESS_PAGES=16384
# The least that must be read in again by a run.
STRESS_READ=$((STRESS_PAGES / 8))
# Operations of each thread.
STRESS_COUNT=${STRESS_COUNT:-4000}
# What the program is started with; nothing for one that uses libpagerd.
STRESS_COMMAND=("$CTL" run --)

# A daemon with a sanitizer takes long for the same, and the other compiler makes the same of most.
case ${VARIANT:-gcc} in
clang | sanitize) STRESS_COUNT=$((STRESS_COUNT / 3)) ;;
thread) STRESS_COUNT=$((STRESS_COUNT / 6)) ;;
esac

# stress_run OPTIONS...: run it; check its file afterwards, as another program sees it. The daemon
# must have had to read many of the pages again: else it was not the daemon's memory.
stress_run() {
	local before after
	say "stress $*"
	before=$(value_of pages_read stat)
	"${STRESS_COMMAND[@]}" "$PROGRAMS/stress" -f "$TEST_DIR/data" -o "$TEST_DIR/state" \
		-n "$STRESS_COUNT" "$@" || fail "status $? from: stress $*"
	case " $* " in
	*file*) must "$PROGRAMS/stress" -f "$TEST_DIR/data" -V "$TEST_DIR/state" ;;
	esac
	daemon_must_live "after stress $*"
	after=$(value_of pages_read stat)
	[ $((after - before)) -ge $STRESS_READ ] ||
		fail "only $((after - before)) pages were read in: stress $*"
}
