#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A user who maps more than the daemon has descriptors leaves some to the others, whose programs do
# not notice; nor does his own.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

FILES=600

[ "$(id -u)" = 0 ] || skip "only root can start programs as another user"
mkdir -m 755 programs
must cp "$CTL" "$PAGERD_BUILD"/client/*.so "$PROGRAMS/many_maps" programs
chmod -R a+rX programs
mkdir -m 777 theirs
chmod 755 .
as_user() {
	setpriv --reuid="$1" --regid="$1" --clear-groups --no-new-privs --inh-caps=-all \
		--bounding-set=-all programs/pagerctl run --no-heap -- programs/many_maps "${@:2}"
}
# Without the right to raise the limit.
DAEMON_COMMAND=(prlimit "--nofile=$FILES" setpriv --bounding-set=-sys_resource "${DAEMON_COMMAND[@]}")
daemon_start --memory 16M
start_program other as_user 65533 8 theirs/file
program_says ready other
mkfifo many.go
as_user 65534 $((2 * FILES)) <many.go >many &
many=$!
at_exit "end_process $many"
exec 8>many.go
many_is_ready() {
	grep -q ready many || ! process_alive "$many"
}
until_true "the first user has mapped all" many_is_ready
objects=$("$CTL" stat --json | "$PYTHON" -c '
import json, sys
print(sum(o["uid"] == 65534 for o in json.load(sys.stdin)["objects"]))')
[ "$objects" -gt 0 ] || fail "nothing of the first user is paged"
[ "$objects" -le $((FILES / 4)) ] || fail "the first user has $objects objects"
tell_program
program_ends "of the other user"
echo >&8
wait "$many" || fail "status $? from the first user's program"
daemon_must_live "after both"
daemon_stop
