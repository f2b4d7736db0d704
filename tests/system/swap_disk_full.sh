#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disk under the swap directory runs full: as swap_full, without a limit of swap's own.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/disk.sh
. "$TESTS/lib/disk.sh"

PAGES=$((64 * 256))
disk_make 24
SWAP=$DISK
must rmdir "$DISK/lost+found"
daemon_start --memory 8M
"$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES try-write 0 $PAGES 1 try-check 0 $PAGES 1 >out ||
	fail "status $?: wrong data, or worse"
read -r refused <out
[ "$refused" -gt 0 ] || fail "64 MiB fitted into 8 MiB of memory and a disk of 24 MiB"
expect_text "$DAEMON_LOG" 'swap.*(full|no space|limit)|(full|no space).*swap'
daemon_must_live "after the disk ran full"
must "$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1
daemon_stop
