#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file whose server does not answer hurts who uses it, and nobody else; and the daemon can be
# ended: all that is left of it then is what the kernel does not let go.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=2048

if [ ! -c /dev/fuse ] || [ "$(id -u)" != 0 ]; then
	skip "no /dev/fuse, or not root"
fi
mkdir mount
at_exit "umount -l mount 2>/dev/null"

# clients CASE COMMAND...: as a command of it.
clients() {
	local case=$1 status
	shift
	"$@" "$PYTHON" "$TESTS/lib/fuse_clients" mount $PAGES "$case"
	status=$?
	[ $status != 77 ] || skip "FUSE cannot be mounted"
	[ $status = 0 ] || fail "$case: status $status"
}

daemon_start --memory 4M
clients unanswered
daemon_must_live "after servers that did not answer"
clients program "$CTL" run --no-heap --
until_true "the daemon has everything back" daemon_is_empty

start_program out "$PYTHON" "$TESTS/lib/fuse_clients" mount $PAGES left
program_says unanswered out
daemon_must_live "while a server does not answer"
kill -TERM "$DAEMON_PID"
has_ended() {
	[ ! -e "$PAGERD_SOCKET" ] && grep -q "the kernel keeps this process" "$DAEMON_LOG"
}
until_true "the daemon does all that it has to before it ends" has_ended
[ -z "$(ls -A "$SWAP")" ] || fail "the daemon left files in $SWAP"
tell_program
program_ends "whose server did not answer"
wait "$DAEMON_PID"
status=$?
DAEMON_PID=
[ $status = 0 ] || fail "the daemon ended with status $status"

daemon_start --memory 4M --files all
clients paged
daemon_stop
clients paged "$CTL" run --no-heap --files all --
