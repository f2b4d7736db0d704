#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# PostgreSQL runs its own benchmark from four connections, with its shared buffers and those of
# parallel queries in a quarter of the memory that they take: what is in the tables afterwards is
# what a plain server makes of the same transactions, and all checksums are right.
# shellcheck source=tests/lib/install.sh
. "$(dirname "$0")/../lib/install.sh"
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=4
SCALE=1 # 16 MiB of tables
TRANSACTIONS=60

[ "$(id -u)" = 0 ] || skip "only root can start programs as another user"
POSTGRES=$(postgres_programs) || skip "no PostgreSQL"
mkdir -m 755 programs
must cp "$CTL" "$PAGERD_BUILD"/client/*.so programs
chmod -R a+rX programs .
mkdir -m 777 theirs
export PGHOST=$TEST_DIR/theirs PGUSER=tester PGDATABASE=postgres

# The server refuses to be root's.
AS_NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups)

make_cluster() {
	must "${AS_NOBODY[@]}" "$POSTGRES/initdb" -D theirs/data -A trust -U tester -k --no-sync >initdb.log
	cat >>theirs/data/postgresql.conf <<CONF
listen_addresses = ''
unix_socket_directories = '$PGHOST'
shared_buffers = $((4 * BUDGET))MB
shared_memory_type = mmap
dynamic_shared_memory_type = mmap
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
fsync = off
autovacuum = off
CONF
}

server_answers() {
	process_alive "$SERVER" || fail "the server ended: $(cat server.log)"
	"$POSTGRES/pg_isready" -q
}

# with_server NAME [COMMAND-IN-FRONT...]: the benchmark; its tables and answers go to the file NAME.
with_server() {
	local name=$1
	shift
	must "${AS_NOBODY[@]}" cp -r theirs/data "theirs/$name"
	"${AS_NOBODY[@]}" "$@" "$POSTGRES/postgres" -D "theirs/$name" >server.log 2>&1 &
	SERVER=$!
	at_exit "end_process $SERVER"
	until_true "the server answers" server_answers
	must "$POSTGRES/pgbench" -q -i -I dtgp -s $SCALE 2>pgbench.log
	must "$POSTGRES/pgbench" -n -c 4 -j 2 -t $TRANSACTIONS --random-seed=5 >>pgbench.log 2>&1
	must "$POSTGRES/psql" -At >"$name.out" <<'SQL'
select 'accounts', sum(abalance), md5(string_agg(aid || ' ' || abalance, ',' order by aid))
	from pgbench_accounts;
select 'branches', bid, bbalance from pgbench_branches order by bid;
select 'tellers', tid, tbalance from pgbench_tellers order by tid;
select 'history', count(*), sum(delta) from pgbench_history;
explain (costs off) select count(*), sum(aid % 1000), min(abalance) from pgbench_accounts;
select count(*), sum(aid % 1000), min(abalance) from pgbench_accounts;
SQL
	kill -INT $SERVER
	wait $SERVER || fail "the server ended badly: $(cat server.log)"
	must "${AS_NOBODY[@]}" "$POSTGRES/pg_checksums" -D "theirs/$name" >/dev/null
}

make_cluster
with_server plain
daemon_start --memory ${BUDGET}M
with_server paged "$TEST_DIR/programs/pagerctl" run --
must cmp plain.out paged.out
expect_text paged.out "parallel"
[ "$(value_of pages_written stat)" -gt 0 ] || fail "nothing was paged"
daemon_stop
