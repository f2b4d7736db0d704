#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# library.sh with more processes, more work and little memory.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/stress.sh
. "$TESTS/lib/stress.sh"

STRESS_COUNT=$((STRESS_COUNT * 20))
STRESS_COMMAND=()
daemon_start --memory 8M
for seed in 1 2 3; do
	stress_run -s $seed -A -m private,shared,file -p 6 -t 4 -g 8192 -d zipf
done
daemon_stop
