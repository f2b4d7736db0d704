#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two sqlite3 processes change one database in WAL mode, with its shared-memory file, while a third
# reads it: every reader's sum is right, and the contents in the end are those of a plain run.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=6
ROWS=20000 # of 1 KiB and more
ROUNDS=60
READS=12
PRAGMAS='pragma busy_timeout=60000; pragma mmap_size=1000000000; pragma cache_size=200;
	pragma wal_autocheckpoint=200; pragma synchronous=off;'
export ROUNDS READS PRAGMAS

make_database() {
	must sqlite3 "$1" >/dev/null <<SQL
pragma journal_mode=wal;
create table item(id integer primary key, n integer, body text);
with recursive i(id) as (select 1 union all select id + 1 from i where id < $ROWS)
	insert into item select id, id, printf('%.*c', 1000 + id % 400, char(97 + id % 26)) from i;
create index item_n on item(n);
SQL
}

# What one writer does: whoever comes first, the end is the same, and so is the sum all the time.
writer() {
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		echo "begin immediate;
			update item set n = n + $i, body = upper(body) where id % 97 = $((i % 97));
			update item set n = n - $i where id % 97 = $((i % 97));
			update item set n = n + 5 where id = $((i * 7 + $2));
			update item set n = n - 5 where id = $((i * 11 + $2)); commit;"
	done | sqlite3 -batch -bail -init <(echo "$PRAGMAS") "$1" >/dev/null
}
reader() {
	local i
	for ((i = 0; i < READS; i++)); do
		echo "select 'sum', sum(n), count(*) from item;"
	done | sqlite3 -batch -bail -init <(echo "$PRAGMAS") "$1" | grep ^sum | sort -u
}
both() {
	local first second
	writer "$1" 1 & first=$!
	writer "$1" 2 & second=$!
	reader "$1" && wait $first && wait $second
}
export -f writer reader both

contents() {
	sqlite3 "$1" 'pragma integrity_check; select * from item order by id; select n from item
		order by n;' | md5sum
}

make_database plain.db
must cp plain.db paged.db
[ "$(stat -c %s plain.db)" -ge $((4 * BUDGET * MIB)) ] || fail "the database is too small"
must bash -c 'both plain.db' >plain.out
paged $BUDGET bash -c 'both paged.db' >paged.out || fail "status $? under the pager"
memory_kept_to
must cmp plain.out paged.out
[ "$(contents plain.db)" = "$(contents paged.db)" ] || fail "the databases differ"
