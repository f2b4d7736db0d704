#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerctl run exits with the command's own status, with a private daemon and with a running one.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

printf 'not a program' >text
check_statuses() {
	expect_status 0 "$CTL" run "$@" -- true
	expect_status 1 "$CTL" run "$@" -- false
	expect_status 37 "$CTL" run "$@" -- sh -c 'exit 37'
	expect_status 143 "$CTL" run "$@" -- sh -c 'kill -TERM $$'
	expect_status 137 "$CTL" run "$@" -- sh -c 'kill -KILL $$'
	expect_status 139 "$CTL" run "$@" -- sh -c 'kill -SEGV $$'
	expect_status 127 "$CTL" run "$@" -- ./no-such-program
	expect_text err no-such-program
	expect_status 126 "$CTL" run "$@" -- ./text
	expect_text err text
	# Who starts it may ignore what it waits for.
	expect_status 37 timeout -s KILL 30 "$PYTHON" -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$CTL" run "$@" -- sh -c 'exit 37'
	# Its standard files may be closed, as they were for us.
	expect_status 0 "$CTL" run "$@" -- true <&-
	"$CTL" run "$@" -- true >&- || fail "status $? with its output closed"
	# Standard input, output, arguments and environment are the command's.
	# shellcheck disable=SC2016 # the command expands it
	expect_status 0 env A=b "$CTL" run "$@" -- sh -c 'read -r x; echo "$x $A $1"' sh 'c  d' <<<in
	expect_text out '^in b c  d$'
}
check_statuses --memory 8M --swap "$SWAP"
[ -z "$(ls -A "$SWAP")" ] || fail "something was left in the swap directory"
daemon_start --memory 8M
check_statuses
daemon_must_live "after the commands"
daemon_stop
