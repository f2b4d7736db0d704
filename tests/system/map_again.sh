#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program maps files, reads them and unmaps them, again and again: each is read once, until
# somebody outside changes it, who is not held up, and whose change is seen.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=512
FILES=6
ROUND=0

# Have the program look at all files; what it sees must be what is there.
look() {
	ROUND=$((ROUND + 1))
	tell_program
	until_true "round $ROUND is done" rounds_done
	tail -n $((FILES + 1)) out | grep -v done >seen
	sha256sum file.* >there
	diff seen there >&2 || fail "round $ROUND: not what is in the files"
}

rounds_done() {
	[ "$(grep -c done out)" = $ROUND ]
}

pages_read() {
	value_of pages_read stat
}

# at_once COMMAND...: change a file, from outside; nobody may wait for us.
at_once() {
	timeout 1 "$@" || fail "status $? from: $*"
	look
}

for ((i = 0; i < FILES; i++)); do
	must dd if=/dev/urandom of=file.$i bs=4K count=$PAGES status=none
done
sleep 3 # what has just changed is not kept
daemon_start --memory 64M
start_program out "$CTL" run --no-heap -- "$PYTHON" "$TESTS/lib/map_again" file.?
look
first=$(pages_read)
[ "$first" -ge $((FILES * PAGES)) ] || fail "$first pages read"
for _ in 1 2 3; do
	look
done
[ "$(pages_read)" = "$first" ] || fail "$first pages read at first, then $(pages_read)"

at_once sh -c 'echo more >>file.0'
at_once truncate -s 5000 file.1 # opens it without waiting
at_once dd if=/dev/zero of=file.2 bs=4K seek=3 count=1 conv=notrunc status=none
at_once dd if=/dev/zero of=file.3 bs=4K seek=3 count=1 conv=notrunc oflag=direct status=none
at_once sh -c 'cp file.0 new && mv new file.4'
at_once fallocate --punch-hole --offset 8192 --length 4096 file.5
for _ in 1 2 3; do
	must dd if=/dev/urandom of=file.0 bs=4K count=1 conv=notrunc status=none
	look
done

rm file.3
until_true "nothing is left of a file that is gone" sh -c '
	! ls -l /proc/'"$DAEMON_PID"'/fd | grep -q "file.3 (deleted)"'
exec 7>&-
program_ends "that maps files"
until_true "nothing is kept for long" daemon_is_empty
daemon_stop
