#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example program of the C API runs against a daemon, and says so plainly where there is none.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 8M
must "$PAGERD_BUILD/client/example"
daemon_must_live "after the example"
daemon_stop
"$PAGERD_BUILD/client/example" >out 2>err && fail "it succeeded without a daemon"
[ -s err ] || fail "it failed without a word"
