#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A page of a file is written back when it was written, not because others before it were: what
# somebody outside has written to the file meanwhile stays.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=256

must "$PROGRAMS/pages" create data $PAGES 1
must "$PROGRAMS/pages" create other $PAGES 3
must truncate -s $((PAGES * 4096)) sparse
daemon_start --memory 8M
for file in data sparse; do
	for written in 1 2 8 40; do
		must dd if=$file of=copy bs=4K conv=sparse status=none
		version=1
		[ $file = data ] || version=0
		start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" file copy $PAGES \
			check 0 $PAGES $version write 0 $written 2 say ready wait sync
		program_says ready out
		must dd if=other of=copy bs=4K skip=$written seek=$written conv=notrunc status=none
		tell_program
		program_ends "that writes $written pages of $file"
		must "$PROGRAMS/pages" verify copy 0 $written 2
		must "$PROGRAMS/pages" verify copy $written $((PAGES - written)) 3
	done
done
daemon_must_live "after writes from outside"
daemon_stop
