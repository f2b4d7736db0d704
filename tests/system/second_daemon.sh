#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A second daemon on the same socket is refused with status 75; the first goes on.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 8M
expect_status 75 "${DAEMON_COMMAND[@]}" --socket "$PAGERD_SOCKET" --swap "$SWAP" --memory 8M
expect_text err "$PAGERD_SOCKET"
daemon_must_live "after a second one was started"
must "$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1
daemon_stop
