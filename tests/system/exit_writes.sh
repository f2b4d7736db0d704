#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a process has stored through a shared mapping of a file is in the file when the process has
# ended, or has become another program, however it did that; and no daemon that has gone keeps it
# from ending.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

TEST_PROGRAM=$PROGRAMS/exit_writes

# modes ROUNDS OPTION...: all of them, by a daemon with these options.
modes() {
	local mode rounds=$1
	shift
	daemon_start "$@"
	for mode in $("$TEST_PROGRAM" list); do
		must "$CTL" run --no-heap -- "$TEST_PROGRAM" "$mode" "$rounds" data
	done
	daemon_must_live "after processes that ended"
	daemon_stop
}

modes 10 --memory 64M
modes 4 --memory 4M --threads 2

# Most programs end by a return to the shell.
daemon_start --memory 64M
must "$CTL" run --no-heap -- sh -c "
	for round in 1 2 3 4 5 6 7 8 9 10; do
		$TEST_PROGRAM wait exit data </dev/null >/dev/null && $TEST_PROGRAM check data 1 || exit
		truncate -s 0 data
	done"
daemon_stop

for how in exit _exit exec; do
	daemon_start --memory 64M
	start_program out env LD_PRELOAD="$PAGERD_BUILD/client/libpagerd-preload.so" \
		"$TEST_PROGRAM" wait $how data
	program_says ready out
	kill -KILL "$DAEMON_PID"
	wait "$DAEMON_PID"
	DAEMON_PID=
	tell_program
	program_ends "whose daemon has gone, by $how"
done
