#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Daemon and programs together in a cgroup of the budget and 64 MiB, over 4 times the budget in
# each kind of memory.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/stress.sh
. "$TESTS/lib/stress.sh"

paged_group 16
(paged_exec 16 "$PROGRAMS/stress" -m private,shared,file -f data -p 3 -t 4 -g 16384 \
	-n "$STRESS_COUNT" -o state) || fail "status $?"
memory_kept_to
must "$PROGRAMS/stress" -f data -V state
