#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clients that send garbage, lie about lengths and addresses, pass the wrong descriptors, never
# read or go away: each loses its own session at most. TEST_SEED chooses what they do.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

ROUNDS=1500
daemon_start --memory 8M
must "$PYTHON" "$TESTS/lib/hostile" "${TEST_SEED:-1}" $ROUNDS "$TEST_DIR"
daemon_must_live "after hostile clients"
nobody_is_left() {
	[ "$("$CTL" status --json | "$PYTHON" "$TESTS/lib/json_get" clients)" = "[]" ]
}
until_true "no client is left" nobody_is_left
until_true "the daemon has everything back" daemon_is_empty
must "$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1
daemon_stop
