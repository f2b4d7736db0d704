#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same, by one daemon that checks its invariants, and keeps nothing of a program that has ended.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/differential/compare
. "$TESTS/differential/compare"

# Daemons with a sanitizer are slow.
count=30
[ "${VARIANT:-gcc}" = gcc ] || count=6
daemon_start --memory "$DIFFER_BUDGET"
DIFFER_SEED=${DIFFER_SEED:-5001}
differ_all joined $count -n 500 -p 4
daemon_stop
