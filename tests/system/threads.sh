#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A C program with 8 threads reads and writes private memory of four times the budget.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=48
paged $BUDGET "$PROGRAMS/stress" -t 8 -g $((4 * BUDGET * MIB / 4096)) -n "${STRESS_COUNT:-20000}" ||
	fail "status $?"
memory_kept_to
