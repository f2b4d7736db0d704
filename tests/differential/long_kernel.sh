#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernel.sh with more programs, of few long and of many short ones.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/differential/compare
. "$TESTS/differential/compare"

DIFFER_SEED=${DIFFER_SEED:-10001}
differ_all private 1000 -n 500
DIFFER_SEED=$((DIFFER_SEED + 1000))
differ_all private 50 -n 5000 -p 6
