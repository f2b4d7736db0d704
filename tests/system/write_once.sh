#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A page is written once for one change: to its file by msync, however often that is called, and to
# swap when it is evicted, however often it is read back and evicted again.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 8M
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" file data 1024 write 0 1024 1 sync sync sync \
	check 0 1024 1 sync say ready wait
program_says ready out
written=$(value_of pages_written stat)
[ "$written" = 1024 ] || fail "$written pages were written for 1024 changes of a file"
tell_program
program_ends "that syncs"
daemon_stop

daemon_start --memory 8M
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 \
	check 0 4096 1 check 0 4096 1 check 0 4096 1 say ready wait
program_says ready out
written=$(value_of pages_written stat)
[ "$written" -le 4096 ] || fail "$written pages were written for 4096 changes of memory"
tell_program
program_ends "that reads its memory again and again"
daemon_stop
