#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs write a file from paged memory behind the library's back, while the daemon wants to write
# the same file back, or to read it: nobody waits for ever.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/pages" create whole 4096 1
truncate -s 16M sparse
daemon_start --memory 1M
for file in whole sparse; do
	expect_status 0 "$CTL" run --no-heap -- "$PROGRAMS/file_locked" $file
	expect_text out "the same process: done"
done
daemon_must_live "after writes that it had to wait for"
daemon_stop
