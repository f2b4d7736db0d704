#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Processes are forked from a program whose threads are at work; all have copies of private memory
# and go on writing.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/stress.sh
. "$TESTS/lib/stress.sh"

# What a process shares with its parent need not be read in twice.
STRESS_READ=$((STRESS_PAGES / 16))
daemon_start --memory 16M
stress_run -m private -p 5 -t 2 -g $STRESS_PAGES
stress_run -m private,shared -p 4 -t 2 -g $STRESS_PAGES -d zipf -y 50
daemon_stop
