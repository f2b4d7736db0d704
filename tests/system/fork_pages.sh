#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What parents, children and their children see of each other's pages, in every order of reading,
# writing, forgetting and moving; with room for all of it, with hardly any, and under chaos.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/fork_pages" 64
for memory in 256K 16M; do
	for pages in 64 700; do
		say "$pages pages in $memory"
		expect_status 0 "$CTL" run --no-heap --min 4096 --memory $memory --swap "$SWAP" -- \
			"$PROGRAMS/fork_pages" $pages
		expect_text out "fork pages right"
	done
done
for seed in 1 2 3; do
	say "chaos $seed"
	expect_status 0 "$CTL" run --no-heap --chaos $seed --swap "$SWAP" -- "$PROGRAMS/fork_pages" 64
	expect_text out "fork pages right"
done
