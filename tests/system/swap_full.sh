#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Swap runs full, by its limit: what did not fit is refused with SIGBUS, nothing that was taken is
# lost, and the daemon serves others, and the same memory again when the first has gone.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=$((64 * 256))
daemon_start --memory 8M --swap-limit 16M
"$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES try-write 0 $PAGES 1 try-check 0 $PAGES 1 >out ||
	fail "status $?: wrong data, or worse"
read -r refused <out
[ "$refused" -gt 0 ] || fail "64 MiB fitted into 8 MiB of memory and 16 MiB of swap"
expect_text "$DAEMON_LOG" 'swap.*(full|no space|limit)|(full|no space).*swap'
daemon_must_live "after swap ran full"
for _ in 1 2; do
	must "$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1
done
daemon_stop
