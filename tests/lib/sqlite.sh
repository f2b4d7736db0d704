# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A database, queries and updates, with the same results in every run.

# sqlite_make FILE MIB: rows of about 1 KiB, with an index.
sqlite_make() {
	must sqlite3 "$1" <<SQL
PRAGMA journal_mode = off;
PRAGMA synchronous = off;
CREATE TABLE item (id INTEGER PRIMARY KEY, k INTEGER, name TEXT, body TEXT);
WITH RECURSIVE n(id, x) AS (
	VALUES (1, 12345)
	UNION ALL
	SELECT id + 1, (x * 1103515245 + 12345) % 2147483648 FROM n WHERE id < $2 * 1024
)
INSERT INTO item SELECT id, x % 100000, printf('item %d', x), printf('%.*c', 700 + x % 700,
	char(97 + x % 26)) FROM n;
CREATE INDEX item_k ON item (k);
SQL
	[ "$(stat -c %s "$1")" -ge $(($2 * 1024 * 1024)) ] || fail "the database is too small"
}

# The queries, for sqlite3's standard input.
sqlite_queries_text() {
	cat <<'SQL'
PRAGMA mmap_size = 1073741824;
PRAGMA cache_size = 100;
SELECT count(*), sum(k), sum(length(body)) FROM item;
SELECT substr(body, 1, 1) AS letter, count(*), min(name), max(name) FROM item GROUP BY letter;
SELECT count(*) FROM item WHERE body LIKE '%zzzzz%';
WITH RECURSIVE n(i, x) AS (
	VALUES (1, 99)
	UNION ALL
	SELECT i + 1, (x * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 5000
)
SELECT sum(length(body)), sum(item.id) FROM n JOIN item ON item.k = n.x % 100000;
SELECT id, name FROM item ORDER BY body, id LIMIT 20;
SQL
}

# sqlite_queries FILE [COMMAND-IN-FRONT...]
sqlite_queries() {
	local file=$1
	shift
	sqlite_queries_text >queries.sql
	"$@" sqlite3 -batch "$file" <queries.sql
}

# sqlite_updates FILE [COMMAND-IN-FRONT...]
sqlite_updates() {
	local file=$1
	shift
	"$@" sqlite3 -batch "$file" <<'SQL'
PRAGMA mmap_size = 1073741824;
PRAGMA cache_size = 100;
SELECT sum(k), sum(length(body)) FROM item;
UPDATE item SET k = k + 1, body = upper(body) WHERE id % 5 = 0;
SELECT sum(k), sum(length(body)) FROM item WHERE body < 'a';
DELETE FROM item WHERE id % 7 = 0;
SELECT count(*), sum(k) FROM item;
INSERT INTO item (k, name, body) SELECT k, name || ' again', body FROM item WHERE id % 11 = 0;
SELECT count(*), sum(k), sum(length(body)) FROM item;
BEGIN;
UPDATE item SET body = 'gone' WHERE id % 3 = 0;
ROLLBACK;
SELECT count(*) FROM item WHERE body = 'gone';
PRAGMA integrity_check;
SQL
}
