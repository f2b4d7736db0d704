#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A process that cannot receive the daemon's answer to a fork goes on with its memory all the same.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/fork_refused" >plain
expect_status 0 "$CTL" run --no-heap --memory 4M --swap "$SWAP" -- "$PROGRAMS/fork_refused"
must cmp plain out
