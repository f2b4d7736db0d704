#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# redis-server saves in the background, by a child of fork, while a third of its values is written
# anew, in a quarter of the memory: a plain server that loads the dump has all values as they were
# when the child was made. Once more, and it has the new ones.
# shellcheck source=tests/lib/install.sh
. "$(dirname "$0")/../lib/install.sh"
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=12
COUNT=6000 # values of 8 KiB on average
SERVER=$(redis_server_program "$TEST_DIR")
OPTIONS=(--port 0 --save '' --appendonly no --rdbcompression no --dir "$TEST_DIR")

redis_values() {
	"$PYTHON" "$TESTS/lib/redis_values" "$TEST_DIR/$1.sock" "$COUNT" "$2"
}

# loaded ACTION: what a plain server makes of the dump.
loaded() {
	"$SERVER" "${OPTIONS[@]}" --unixsocket "$TEST_DIR/plain.sock" >plain.log 2>&1 &
	local plain=$!
	at_exit "end_process $plain"
	must redis_values plain "$1"
	redis_values plain shutdown
	wait "$plain"
}

paged_group $BUDGET
(paged_exec $BUDGET "$SERVER" "${OPTIONS[@]}" --unixsocket "$TEST_DIR/redis.sock") >redis.log 2>&1 &
server=$!
at_exit "cat redis.log >&2; end_process $server"
must redis_values redis load
[ "$(redis_values redis memory)" -ge $((4 * BUDGET * MIB)) ] || fail "redis holds too little"
must redis_values redis save
loaded check
must redis_values redis check-rewritten
must redis_values redis save
loaded check-rewritten
redis_values redis shutdown
wait "$server"
status=$?
[ "$status" = 0 ] || fail "redis ended with status $status"
memory_kept_to
