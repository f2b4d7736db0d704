#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerd --check says what this machine allows; where all is well, with status 0.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

"$PAGERD_BUILD/daemon/pagerd" --check >out 2>&1
status=$?
cat out >&2
expect_text out userfaultfd
expect_text out io_uring
if [ "$status" = 77 ]; then
	skip "pagerd --check: something is missing here, as it says itself"
fi
[ "$status" = 0 ] || fail "status $status"
