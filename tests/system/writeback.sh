#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Changes of a mapped file get to the disk by themselves after a while, without msync.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 16M --writeback-age 1
must "$PROGRAMS/pages" create data 1024 1
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" file data 1024 write 0 1024 2 say ready wait
program_says ready out
nothing_dirty() {
	[ "$(value_of dirty_pages stat)" = 0 ]
}
until_true "no page is dirty any more" nothing_dirty
must "$PROGRAMS/pages" verify data 0 1024 2
tell_program
program_ends "that does not sync"
daemon_stop
