#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several processes of many threads share one file and one anonymous mapping, and have private
# memory besides: every read is checked, and the file at the end.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/stress.sh
. "$TESTS/lib/stress.sh"

daemon_start --memory 16M
for distribution in uniform zipf sequential; do
	stress_run -m private,shared,file -p 3 -t 4 -g $STRESS_PAGES -d $distribution
done
daemon_stop
