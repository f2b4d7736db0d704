#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An ordinary user who names no socket: the daemon listens where pagerctl, a run and the C API look.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

[ "$(id -u)" = 0 ] || skip "only root can start programs as another user"
SERVICE=/run/pagerd/pagerd.sock
[ ! -e "$SERVICE" ] || skip "a service runs on this machine"
mkdir -m 755 programs
must cp "$PAGERD_BUILD"/client/{pagerctl,example,*.so,libpagerd.so.0} "$PAGERD_BUILD/daemon/pagerd" \
	"$PROGRAMS/pages" programs
chmod -R a+rX programs
chmod 755 .
mkdir -m 777 swap-of-nobody
mkdir -m 700 runtime
chown 65534 runtime
unset PAGERD_SOCKET
export XDG_RUNTIME_DIR=$TEST_DIR/runtime
export LD_LIBRARY_PATH=$TEST_DIR/programs

# The one right that is needed and that most machines do not give to an ordinary user; all of the
# user's programs have it, as the daemon has no device to pass to them.
# shellcheck disable=SC2054 # the commas are setpriv's
AS_NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,+sys_ptrace
	--ambient-caps=-all,+sys_ptrace)

nobody_is_answered() {
	process_alive "$daemon" || {
		cat daemon.log >&2
		fail "the daemon ended instead of serving"
	}
	"${AS_NOBODY[@]}" programs/pagerctl status >/dev/null 2>&1
}

# answered_by PID
answered_by() {
	expect_status 0 "${AS_NOBODY[@]}" programs/pagerctl status --json
	[ "$("$PYTHON" "$TESTS/lib/json_get" pid <out)" = "$1" ] || fail "it is not $1 that answers"
}

# Nobody answers: the place that remains is the service's.
expect_status 69 "${AS_NOBODY[@]}" programs/pagerctl status
expect_text err "$SERVICE"

"${AS_NOBODY[@]}" programs/pagerd --memory 8M --swap swap-of-nobody >daemon.log 2>&1 &
daemon=$!
at_exit "end_process $daemon"
until_true "the daemon answers who names no socket" nobody_is_answered
[ -S runtime/pagerd.sock ] || fail "the daemon does not listen in XDG_RUNTIME_DIR"
answered_by "$daemon"
must "${AS_NOBODY[@]}" programs/example
expect_status 0 "${AS_NOBODY[@]}" programs/pagerctl run -- programs/pages anon 1024 write 0 1024 1
expect_status 0 "${AS_NOBODY[@]}" programs/pagerctl status --json
[ "$("$PYTHON" "$TESTS/lib/json_get" clients_ever <out)" = 2 ] ||
	fail "the example and the run did not both join that daemon"
# What is said comes first.
expect_status 69 "${AS_NOBODY[@]}" programs/pagerctl status --socket /none
expect_status 69 "${AS_NOBODY[@]}" env PAGERD_SOCKET=/none programs/pagerctl status
expect_text err '/none'
# Before run, too; what follows run's own options is the command's.
expect_status 0 programs/pagerctl --socket runtime/pagerd.sock run -- echo a --socket b
expect_text out '^a --socket b$'
expect_status 69 programs/pagerctl --socket /none run --memory 8M -- true
expect_text err '/none'
# Root's are the service's.
expect_status 69 programs/pagerctl status
expect_text err "$SERVICE"
kill -TERM "$daemon"
wait "$daemon" || fail "status $? from the daemon"

# A daemon there that is not the user's own is not asked: it would have all of the memory.
programs/pagerd --memory 8M --swap "$SWAP" --socket runtime/pagerd.sock >daemon.log 2>&1 &
daemon=$!
at_exit "end_process $daemon"
others_answer() {
	"${AS_NOBODY[@]}" programs/pagerctl status --socket runtime/pagerd.sock >/dev/null 2>&1
}
until_true "root's daemon answers" others_answer
expect_status 69 "${AS_NOBODY[@]}" programs/pagerctl status
expect_text err "$SERVICE"
