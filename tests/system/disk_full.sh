#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disk runs full under a mapped file with holes: SIGBUS or an error of msync, never silence;
# what was there is still there; and when there is room again, all that was taken gets to the file.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/disk.sh
. "$TESTS/lib/disk.sh"

PAGES=$((64 * 256))
OLD=$((4 * 256))
disk_make 128
must "$PROGRAMS/pages" create "$DISK/data" $OLD 1
must "$PROGRAMS/pages" create "$DISK/other" $OLD 9
# Leave room for an eighth of the holes.
room=$(df -k --output=avail "$DISK" | tail -n 1)
must fallocate -l "$((room - 8 * 1024))K" "$DISK/ballast"

daemon_start --memory 16M
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" file "$DISK/data" $PAGES check 0 $OLD 1 \
	try-write 0 $PAGES 2 try-sync check 0 $OLD 2 say full wait \
	sync try-check 0 $PAGES 2 unmap verify "$DISK/data" 0 $PAGES 2
program_says full out
{ read -r refused && read -r error; } <out
say "$refused pages gave SIGBUS, msync gave $error"
[ "$refused" -gt 0 ] || [ "$error" = ENOSPC ] || fail "nobody was told that the disk is full"
daemon_must_live "after the disk ran full"
must "$PROGRAMS/pages" verify "$DISK/other" 0 $OLD 9
must rm "$DISK/ballast"
tell_program
program_ends "with room again"
daemon_stop
