#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disk under swap stands still for a while, first when the swap file is to grow, then when it is
# written: programs wait for it, and stores into mapped files, which are elsewhere, are neither held
# up nor lost afterwards.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/disk.sh
. "$TESTS/lib/disk.sh"

PAGES=2048
disk_make 64
SWAP=$DISK
must rmdir "$DISK/lost+found"
must "$PROGRAMS/pages" create data 64 1
daemon_start --memory 1M
at_exit "fsfreeze -u $DISK 2>/dev/null"
# So that nobody waits for ever for whoever holds a file's lock, the daemon lends memory.
lent() {
	[ "$(value_of used_pages status)" -gt 256 ]
}
must fsfreeze -f "$DISK"
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES write 0 $PAGES 1 \
	check 0 $PAGES 1
until_true "memory is lent" lent
must timeout 20 "$CTL" run --no-heap -- "$PROGRAMS/pages" file data 16 check 0 16 1 write 0 16 2 sync
must "$PROGRAMS/pages" verify data 0 16 2
must "$PROGRAMS/pages" create data 64 1
must fsfreeze -u "$DISK"
program_ends "whose swap could not grow for a while"
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES write 0 $PAGES 1 say filled \
	wait write 0 $PAGES 2 check 0 $PAGES 2 say checked wait
program_says filled out
must fsfreeze -f "$DISK"
tell_program
until_true "memory is lent" lent
must fsfreeze -u "$DISK"
program_says checked out
must "$CTL" run --no-heap -- "$PROGRAMS/pages" file data 64 check 0 64 1 write 0 64 2 check 0 64 2 sync
must "$PROGRAMS/pages" verify data 0 64 2
tell_program
program_ends "whose swap stood still"
daemon_must_live "after its swap stood still"
daemon_stop
