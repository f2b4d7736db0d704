#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A daemon that is told to stop writes what is unwritten to its files first.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 16M
must "$PROGRAMS/pages" create data 2048 1
start_program out "$CTL" run -- "$PROGRAMS/pages" file data 2048 write 0 2048 2 say written wait
program_says written out
daemon_stop
must "$PROGRAMS/pages" verify data 0 2048 2
