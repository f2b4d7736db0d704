#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A budget too small to run, or larger than the machine: a message that says which.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

# refused_by COMMAND...: an error, not a crash; its message is in "err".
refused_by() {
	local status
	"$@" >out 2>err
	status=$?
	{ [ "$status" -gt 0 ] && [ "$status" -lt 126 ]; } || fail "status $status from $*"
}

# refused BUDGET TEXT: both programs refuse it.
refused() {
	refused_by "${DAEMON_COMMAND[@]}" --socket "$PAGERD_SOCKET" --swap "$SWAP" --memory "$1"
	expect_text err "$2"
	refused_by "$CTL" run --memory "$1" --swap "$SWAP" -- touch ran
	expect_text err "$2"
	[ ! -e ran ] || fail "the command ran all the same"
}
refused 4K 'small|least|minimum'
refused 0 'small|least|minimum|no size|not a size'
refused 1048576G 'large|more than|machine'
# The same while running: refused, and nothing changes.
daemon_start --memory 8M
for budget in 4K 1048576G; do
	"$CTL" set memory=$budget >out 2>err && fail "the daemon took a budget of $budget"
	cat out >>err
	expect_text err 'small|least|minimum|large|more than|machine'
done
expect_status 64 "$CTL" run --memory 1048576G -- touch ran
expect_text err 'more than'
[ ! -e ran ] || fail "the command ran under a limit larger than the machine"
daemon_must_live "after wrong budgets"
daemon_stop
