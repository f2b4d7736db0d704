#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sqlite3 maps a database of four times the budget; its queries give what they give without the
# pager.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=48
# shellcheck source=tests/lib/sqlite.sh
. "$TESTS/lib/sqlite.sh"

sqlite_make data.db $((4 * BUDGET))
must sqlite_queries data.db >plain
# The database is in the page cache now, charged to others; the paged run is to read it itself.
must "$PYTHON" "$TESTS/lib/uncache" data.db
sqlite_queries data.db paged $BUDGET >paged.out || fail "status $? under the pager"
memory_kept_to
must cmp plain paged.out
