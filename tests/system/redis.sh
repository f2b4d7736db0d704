#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# redis-server, loaded to four times the budget: every value is read back and compared, then a
# third of them written anew, and all compared again.
# shellcheck source=tests/lib/install.sh
. "$(dirname "$0")/../lib/install.sh"
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=24
COUNT=12000 # values of 8 KiB on average

redis_values() {
	"$PYTHON" "$TESTS/lib/redis_values" "$TEST_DIR/redis.sock" "$COUNT" "$@"
}
paged_group $BUDGET
(paged_exec $BUDGET "$(redis_server_program "$TEST_DIR")" --port 0 --save '' --appendonly no \
	--dir "$TEST_DIR" --unixsocket "$TEST_DIR/redis.sock") >redis.log 2>&1 &
server=$!
at_exit "cat redis.log >&2; end_process $server"

must redis_values load
used=$(redis_values memory)
[ "$used" -ge $((4 * BUDGET * MIB)) ] || fail "redis holds only $used bytes"
must redis_values check
must redis_values rewrite
must redis_values check-rewritten
redis_values shutdown
wait "$server"
status=$?
[ "$status" = 0 ] || fail "redis ended with status $status"
memory_kept_to
