#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sqlite3 changes a database that it has mapped (with write(2), which the mapping must show) and
# reads it again; the result is that of the plain run, and the database is sound.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=16
# shellcheck source=tests/lib/sqlite.sh
. "$TESTS/lib/sqlite.sh"

sqlite_make plain.db $((4 * BUDGET))
must cp plain.db paged.db
must sqlite_updates plain.db >plain
sqlite_updates paged.db paged $BUDGET >paged.out || fail "status $? under the pager"
memory_kept_to
must cmp plain paged.out
must sqlite_queries plain.db >plain
must sqlite_queries paged.db >paged.out
must cmp plain paged.out
