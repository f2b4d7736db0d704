#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The cgroup that the other tests rely on is real: without the pager, a program that needs four
# times the budget is killed in it.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=48
paged_group $BUDGET
(cgroup_exec "$PYTHON" -c "bytearray(b'x') * (4 * $BUDGET << 20)")
status=$?
[ "$status" = 137 ] || fail "status $status: the program was not killed"
[ "$(cgroup_kills)" -ge 1 ] || fail "the group counts no kill"
say "at most $(($(cgroup_max) / MIB)) MiB"
