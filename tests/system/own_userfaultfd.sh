#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that uses userfaultfd itself keeps working under the pager.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

for order in map-first map-later; do
	"$PROGRAMS/own_userfaultfd" $order
	case $? in
	0) ;;
	77) skip "this user may not use userfaultfd" ;;
	*) fail "it does not even work without the pager" ;;
	esac
	"$CTL" run --memory 8M --swap "$SWAP" -- "$PROGRAMS/own_userfaultfd" $order ||
		fail "status $? with $order"
done
