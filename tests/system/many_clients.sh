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

# The one too many is told so.
"$PYTHON" -c "
import socket, time
idle = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for i in range(245)]
for one in idle:
    one.connect('$PAGERD_SOCKET')
time.sleep(100)" &
idle=$!
at_exit "end_process $idle"
turned_away() {
	! "$CTL" status >out 2>err
}
until_true "a client is turned away" turned_away
expect_text err 'no room'
expect_status 69 "$CTL" run --socket "$PAGERD_SOCKET" -- true
expect_text err 'no room'
end_process $idle
until_true "the daemon has everything back" daemon_is_empty
daemon_stop
