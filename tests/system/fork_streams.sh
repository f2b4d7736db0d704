#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Threads that fork, flush all streams, and ask for memory while they have a stream, all go on.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

FORKS=100
for way in mmap malloc; do
	must "$PROGRAMS/fork_streams" $way 5
	for heap in "" --no-heap; do
		# shellcheck disable=SC2086 # none, or one option
		expect_status 0 "$CTL" run $heap --memory 16M --swap "$SWAP" -- \
			"$PROGRAMS/fork_streams" $way $FORKS
		expect_text out "forked"
	done
done
