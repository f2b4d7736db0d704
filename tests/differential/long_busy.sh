#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernel.sh while others keep the disk busy, so that reads and writes take long.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/differential/compare
. "$TESTS/differential/compare"

busy() {
	while :; do
		dd if=/dev/zero of="$TEST_DIR/busy.$1" "${@:2}" 2>/dev/null
	done
}
busy stream bs=1M count=300 conv=fsync &
at_exit "end_process $!"
busy single bs=4k count=2000 oflag=dsync &
at_exit "end_process $!"
DIFFER_SEED=${DIFFER_SEED:-40001}
differ_all private 100 -n 500
