#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The disk under the swap directory was full, and has room again: swap grows on.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/disk.sh
. "$TESTS/lib/disk.sh"

PAGES=$((48 * 256))
disk_make 96
SWAP=$DISK/swap
must mkdir "$SWAP"
must fallocate -l 72M "$DISK/others"
daemon_start --memory 8M
"$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES try-write 0 $PAGES 1 >out ||
	fail "status $?: wrong data, or worse"
read -r refused <out
[ "$refused" -gt 0 ] || fail "48 MiB fitted into 8 MiB of memory and a full disk"
until_true "the daemon has everything back" daemon_is_empty
must rm "$DISK/others"
sleep 1.1 # it does not ask a full disk more often
must "$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES write 0 $PAGES 1 check 0 $PAGES 1
daemon_stop
