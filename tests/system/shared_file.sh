#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two programs map one file: each sees at once what the other stores, also through a mapping
# for reading only, and the file has it in the end.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=4096
daemon_start --memory 4M
must "$PROGRAMS/pages" create data $PAGES 1
start_program out "$CTL" run -- "$PROGRAMS/pages" view data $PAGES check 0 $PAGES 1 say ready wait \
	check 0 $PAGES 2
program_says ready out
# While the writer has it still mapped and has not synced it, the reader looks again.
mkfifo from_writer to_writer
"$CTL" run -- "$PROGRAMS/pages" file data $PAGES check 0 $PAGES 1 write 0 $PAGES 2 say written \
	wait unmap <to_writer >from_writer &
writer=$!
at_exit "end_process $writer"
exec 8>to_writer
read -r line <from_writer
[ "$line" = written ] || fail "the writer failed"
tell_program
program_ends "that reads"
echo >&8
wait "$writer" || fail "status $? from the writer"
must "$PROGRAMS/pages" verify data 0 $PAGES 2
daemon_stop
