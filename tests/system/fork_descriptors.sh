#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that has no descriptor left forks all the same, and its children do.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

for lowered in "" lowered; do
	# shellcheck disable=SC2086 # none or one
	must "$PROGRAMS/fork_descriptors" $lowered >plain
	for options in "--memory 4M" "--chaos 9" "--memory 4M --threads 2"; do
		# shellcheck disable=SC2086 # options are words
		expect_status 0 "$CTL" run --no-heap $options --swap "$SWAP" -- \
			"$PROGRAMS/fork_descriptors" $lowered
		must cmp plain out
	done
done
