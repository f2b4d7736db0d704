#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shared.sh with more processes, more work, several seeds and little memory.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/stress.sh
. "$TESTS/lib/stress.sh"

STRESS_COUNT=$((STRESS_COUNT * 20))
daemon_start --memory 8M
seed=0
for distribution in uniform zipf sequential; do
	seed=$((seed + 1))
	stress_run -s $seed -m private,shared,file -p 6 -t 4 -g 8192 -d $distribution
done
daemon_stop
