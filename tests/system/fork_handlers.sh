#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A handler of SIGSEGV that is set while another thread forks stays, and ours is never seen.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/fork_handlers" >plain
expect_status 0 "$CTL" run --no-heap --memory 16M --swap "$SWAP" -- "$PROGRAMS/fork_handlers"
must cmp plain out
