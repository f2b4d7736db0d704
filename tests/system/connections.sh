#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Threads of a process that each have connections of their own, which come and go.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 4M --access auto
must "$PROGRAMS/connections" 4 150
until_true "the daemon has everything back" daemon_is_empty
daemon_stop
