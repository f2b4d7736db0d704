#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerctl run joins the daemon that runs, keeps to --memory as this client's limit, and starts
# none of its own; several at once share its budget.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 16M
start_program out "$CTL" run --memory 4M -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 \
	check 0 4096 1 say ready wait
program_says ready out
pid=$(client_value pid)
[ "$(client_value limit_pages "$pid")" = 1024 ] || fail "--memory is not this client's limit"
# Where nothing comes free for 0.1 s, up to 1024 frames are lent.
at_most() {
	[ "$("${@:2}")" -le "$1" ]
}
at_most 2048 client_value resident_max_pages "$pid" || fail "it had many more pages than its limit"
until_true "the client keeps to its limit" at_most 1024 client_value resident_pages "$pid"
jobs=()
for i in 1 2 3 4 5 6; do
	"$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 $i check 0 4096 $i &
	jobs+=($!)
	at_exit "end_process $!"
done
for job in "${jobs[@]}"; do
	wait "$job" || fail "status $? from one of several"
done
until_true "the budget is kept" at_most 4096 value_of used_pages status
tell_program
program_ends "with a limit"
until_true "the daemon has everything back" daemon_is_empty
daemon_stop
