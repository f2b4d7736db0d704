#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The 1,000th client is served like the first; and where descriptors run out, the one too many is
# refused and the others go on.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 16M
count=$("$PYTHON" "$TESTS/lib/many_clients" 1000) || fail "status $?"
[ "$count" = 1000 ] || fail "only $count clients were served"
until_true "the daemon has everything back" daemon_is_empty
daemon_stop

ulimit -n 256
daemon_start --memory 16M
count=$("$PYTHON" "$TESTS/lib/many_clients" 100) || fail "status $? with few descriptors"
say "$count of 100 clients with 256 descriptors"
[ "$count" -gt 0 ] || fail "nobody was served"
daemon_must_live "after descriptors ran out"
until_true "the daemon has everything back" daemon_is_empty
daemon_stop
