#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A process that has private pages of a file is stopped; others truncate the file, and go on.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 64M
head -c 64K /dev/zero | tr '\0' f >file
start_program out "$CTL" run --no-heap --min 4096 -- "$PROGRAMS/private_file" hold file 16
program_says ready out
tell_program
program_says have-written out
read -r -a child <"/proc/$PROGRAM/task/$PROGRAM/children"
must kill -STOP "${child[0]}"
at_exit "kill -CONT ${child[0]} 2>/dev/null"
expect_status 0 "$CTL" run --no-heap --min 4096 -- "$PYTHON" -c 'import mmap, os
fd = os.open("file", os.O_RDWR)
view = mmap.mmap(fd, 65536)
print(view[65535:])
os.ftruncate(fd, 0)
print("truncated")'
expect_text out truncated
# One that does not map it, and is told nothing by it.
expect_status 0 "$CTL" run --no-heap --min 4096 -- "$PYTHON" -c 'import os
os.truncate("file", 65536)
open("file", "w").close()
print("truncated again")'
expect_text out "truncated again"
expect_status 0 "$CTL" status
expect_text out "does not answer"
must kill -CONT "${child[0]}"
tell_program
program_ends "that was stopped"
daemon_must_live "after a client that was stopped"
daemon_stop
