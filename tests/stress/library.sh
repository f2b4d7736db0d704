#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same through the C API: each process has its own connection, and they share the file.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/stress.sh
. "$TESTS/lib/stress.sh"

STRESS_COMMAND=()
daemon_start --memory 16M
for distribution in uniform zipf; do
	stress_run -A -m private,shared,file -p 3 -t 4 -g $STRESS_PAGES \
		-d $distribution
done
daemon_stop
