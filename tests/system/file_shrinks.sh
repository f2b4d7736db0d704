#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file shrinks under its mapping: SIGBUS behind its end, by itself and by another program;
# everything before the end is right, and so is the file. Then it grows again: zeros.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=$((32 * 256))
HALF=$((PAGES / 2))
daemon_start --memory 4M
must "$PROGRAMS/pages" create data $PAGES 1
must "$CTL" run -- "$PROGRAMS/pages" file data $PAGES check 0 $PAGES 1 \
	truncate $HALF check 0 $HALF 1 bus $((PAGES - 1024)) 1024 check 0 $HALF 1 \
	write 0 $HALF 2 sync truncate $PAGES check $HALF 2048 0 write $HALF 16 3 unmap \
	verify data 0 $HALF 2 verify data $HALF 16 3 verify data $((HALF + 16)) $((HALF - 16)) 0
daemon_must_live "after a file shrank"

start_program out "$CTL" run -- "$PROGRAMS/pages" file data $PAGES write 0 $PAGES 4 say ready wait \
	check 0 $HALF 4 bus $((PAGES - 1024)) 1024 check 0 $HALF 4 write 0 $HALF 5 sync
program_says ready out
must truncate -s $((HALF * 4096)) data
tell_program
program_ends "when another shrank the file"
[ "$(stat -c %s data)" = $((HALF * 4096)) ] || fail "the file grew again by itself"
must "$PROGRAMS/pages" verify data 0 $HALF 5
daemon_must_live "after another program shrank a file"
daemon_stop
