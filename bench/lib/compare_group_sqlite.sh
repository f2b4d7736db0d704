# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The sqlite3 shell with its database mapped (mmap_size), of five times the budget, which is half of
# --memory. Results are compared with those of a plain run.
#
#	sqlite-scan    reads every row of the table
#	sqlite-lookup  rows by key at random; without advice the kernel reads megabytes ahead for each,
#	               and gets a 64th of the lookups
# shellcheck source=tests/lib/sqlite.sh
. "$ROOT/tests/lib/sqlite.sh"

SQLITE_SYSTEMS="us us-nolatency kernel kernel-advised kernel-latency kernel-latency-advised"

group_sqlite() {
	measurement_add sqlite-scan sqlite_measure "$SQLITE_SYSTEMS"
	case_add sqlite-scan sqlite-scan s 'kernel / us >= 1.2'
	measurement_add sqlite-lookup sqlite_measure "$SQLITE_SYSTEMS"
	case_add sqlite-lookup sqlite-lookup us 'kernel / us >= 1.2'
}

# sqlite_make calls these.
must() {
	child_run "$@" || die "status $? from: $*"
}

fail() {
	die "$@"
}

sqlite_statement() {
	case $1 in
	sqlite-scan)
		echo "SELECT count(*), sum(k) FROM item NOT INDEXED;"
		;;
	sqlite-lookup)
		echo "WITH RECURSIVE n(i, x) AS (
				VALUES (1, 99)
				UNION ALL
				SELECT i + 1, (x * 1103515245 + 12345) % 2147483648 FROM n WHERE i < $2
			)
			SELECT count(*), sum(item.k), sum(unicode(substr(body, 650, 1)))
			FROM n CROSS JOIN item ON item.id = 1 + (n.x >> 8) % (4 * $MEMORY * 1024);"
		;;
	esac
}

# sqlite_query CASE LOOKUPS WORD...: run it, started with these words; seconds in SQLITE_SECONDS.
sqlite_query() {
	local name=$1 lookups=$2 answer=$WORK/$1.$2.answer
	shift 2
	{
		printf 'PRAGMA mmap_size = 1099511627776;\nPRAGMA cache_size = 100;\n.timer on\n'
		sqlite_statement "$name" "$lookups"
	} >"$WORK/query"
	"$@" sqlite3 -batch "$WORK/sqlite.db" ".read $WORK/query" >"$WORK/answer" ||
		die "sqlite3 failed"
	SQLITE_SECONDS=$(awk '/^Run Time: real/ { seconds = $4 } END { print seconds }' "$WORK/answer")
	sed -i '/^Run Time/d' "$WORK/answer"
	[ -e "$answer" ] || cp "$WORK/answer" "$answer"
	cmp -s "$WORK/answer" "$answer" || die "WRONG DATA: the answer to $name"
}

sqlite_measure() {
	local name=$1 system=$2 lookups=$((MEMORY * 240)) words=() SQLITE_SECONDS
	local MEMORY=$((MEMORY / 2))
	[ -e "$WORK/sqlite.db" ] || sqlite_make "$WORK/sqlite.db" $((4 * MEMORY)) >/dev/null
	case $name,$system in
	*,*-advised)
		words=(env LD_PRELOAD="$PAGERD_BUILD/bench/libadvise.so" ADVISE=random)
		[ "$name" = sqlite-lookup ] || words+=(ADVISE=sequential)
		;;
	sqlite-lookup,kernel*) lookups=$((lookups / 64)) ;;
	esac
	[ -e "$WORK/$name.$lookups.answer" ] || sqlite_query "$name" "$lookups" child_run
	file_cold "$WORK/sqlite.db"
	system_up "$system"
	sqlite_query "$name" "$lookups" system_run "${words[@]}"
	[ "$name" = sqlite-scan ] || SQLITE_SECONDS=$(awk "BEGIN { print $SQLITE_SECONDS * 1e6 / $lookups }")
	echo "$name $SQLITE_SECONDS"
}
