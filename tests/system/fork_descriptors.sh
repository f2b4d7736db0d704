#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that has no descriptor left forks all the same, and its children do.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/fork_descriptors" >plain
for options in "--memory 4M" "--chaos 9"; do
	# shellcheck disable=SC2086 # options are words
	expect_status 0 "$CTL" run --no-heap $options --swap "$SWAP" -- "$PROGRAMS/fork_descriptors"
	must cmp plain out
done
