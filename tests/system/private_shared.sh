#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ten processes that read one file through private mappings have its pages once, together with the
# daemon; what one writes is one page more.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=16384
COUNT=10
head -c $((PAGES * 4096)) /dev/urandom >file
daemon_start --memory 128M

# Sum of the proportional set sizes of the daemon and the processes named, in KiB.
pss() {
	local sum=0 pid value
	for pid in "$DAEMON_PID" "$@"; do
		value=$(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup")
		sum=$((sum + value))
	done
	echo $sum
}

# The process of pagerctl's command.
child_of() {
	cat "/proc/$1/task/$1/children"
}

pids=()
for ((i = 0; i < COUNT; i++)); do
	start_program "out.$i" "$CTL" run --no-heap -- "$PROGRAMS/private_file" hold file $PAGES
	program_says ready "out.$i"
	read -r -a child <<<"$(child_of "$PROGRAM")"
	pids+=("${child[0]}")
	[ $i != 0 ] || one=$(pss "${pids[@]}")
	cmp -s out.0 "out.$i" || fail "process $i has read something else"
	eval "exec $((20 + i))>&7"
done
all=$(pss "${pids[@]}")
say "one process: $one KiB, $COUNT processes: $all KiB"
[ "$one" -ge $((PAGES * 4)) ] || fail "the pages are nowhere to be seen"
[ "$all" -lt $((one + one / 4)) ] || fail "the pages are there more than once"
resident=$(value_of total.resident_pages stat)
echo >&20
program_said have-written out.0 || until_true "it has written" grep -q have-written out.0
now=$(value_of total.resident_pages stat)
[ "$now" = $((resident + 1)) ] || fail "$resident pages before the write, $now after it"
[ "$(value_of total.faults_cow stat)" = 1 ] || fail "not one copy-on-write fault"
echo >&20
for ((i = 1; i < COUNT; i++)); do
	eval "echo >&$((20 + i)); echo >&$((20 + i))"
done
until_true "they have ended" daemon_is_empty
daemon_stop
