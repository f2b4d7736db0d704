#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A paged process, more of which has to leave than may stay, calls for namespaces for its children.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

for mode in private child user setns after; do
	"$PROGRAMS/namespace_pages" "$mode" data >plain
	status=$?
	[ "$status" != 77 ] || skip "no PID namespaces here"
	[ "$status" = 0 ] || fail "status $status plainly: $mode"
	expect_status 0 "$CTL" run --no-heap --memory 4M --swap "$SWAP" -- \
		"$PROGRAMS/namespace_pages" "$mode" data
	must cmp plain out
done
