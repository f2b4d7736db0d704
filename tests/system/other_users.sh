#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A user sees and changes only the own clients; root sees all.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

[ "$(id -u)" = 0 ] || skip "only root can start programs as another user"
mkdir -m 755 programs
must cp "$CTL" programs
chmod 755 .
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all \
		--bounding-set=-all programs/pagerctl "$@"
}
daemon_start --memory 8M
start_program out "$CTL" run -- "$PROGRAMS/pages" anon 1024 write 0 1024 1 say ready wait
program_says ready out
pid=$(client_value pid)
expect_status 0 as_nobody status
expect_status 0 as_nobody stat
grep -qw "$pid" out && fail "another user sees root's client"
expect_status 1 as_nobody stat "$pid"
expect_status 1 as_nobody maps "$pid"
expect_status 1 as_nobody set "$pid" memory=1M
expect_status 1 as_nobody set policy=fifo
expect_status 1 as_nobody set memory=1M
tell_program
program_ends "of root"
daemon_stop
