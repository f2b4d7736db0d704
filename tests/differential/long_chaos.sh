#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernel.sh with many more programs, under chaos.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/differential/compare
. "$TESTS/differential/compare"

DIFFER_SEED=${DIFFER_SEED:-30001}
differ_all chaos 1000 -n 500
