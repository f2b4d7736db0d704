#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Threads on stacks of the program's own fork, and end while others do.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

for what in fork end; do
	must "$PROGRAMS/fork_stacks" $what >plain
	expect_status 0 "$CTL" run --no-heap --memory 16M --swap "$SWAP" -- "$PROGRAMS/fork_stacks" $what
	must cmp plain out
done
