#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The C API fails as its header says, also where the daemon has gone.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 8M
must "$PROGRAMS/library" "$TEST_DIR" "$DAEMON_PID"
