#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Children find their memory where there is no address free but those of paged memory.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 4M
expect_status 0 "$CTL" run --no-heap -- "$PROGRAMS/fork_holes"
expect_text out "4 generations"
daemon_must_live "after forks without free addresses"
daemon_stop
