#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# python3 builds, shuffles, sorts and checks a structure of four times the budget, and prints the
# same as without the pager.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=16
COUNT=15000 # objects of 4.5 KiB on average

export PYTHONHASHSEED=0
"$PYTHON" "$TESTS/lib/structure" $COUNT $((4 * BUDGET)) >plain || fail "the plain run"
paged $BUDGET "$PYTHON" "$TESTS/lib/structure" $COUNT $((4 * BUDGET)) >paged.out ||
	fail "status $? under the pager"
memory_kept_to
must cmp plain paged.out
