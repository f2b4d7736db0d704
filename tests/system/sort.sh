#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# GNU sort sorts a file of four times the budget in memory, with the same result as without the
# pager. It has no directory for temporary files: it would fail if it wanted one.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=24
"$PYTHON" "$TESTS/lib/lines" $((4 * BUDGET * MIB)) >lines || fail "no input"

sort_lines() {
	"$@" sort -S 400M --parallel=2 -T "$TEST_DIR/none" -o "$OUTPUT" lines
}
OUTPUT=plain must sort_lines env
OUTPUT=sorted must sort_lines paged $BUDGET
memory_kept_to
must cmp plain sorted
