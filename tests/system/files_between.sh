#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A process that does not map a file and one that does see at once what the other has done to it; and
# the filter by which the first one finds out comes, tells of no file that nobody maps, and goes.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

# shellcheck source=tests/lib/disk.sh
. "$TESTS/lib/disk.sh"

TEST_PROGRAM=$PROGRAMS/files_between

# modes ROUNDS PREFIX...: all of them, run so.
modes() {
	local mode rounds=$1
	shift
	for mode in $("$TEST_PROGRAM" list); do
		must "$@" "$TEST_PROGRAM" "$mode" "$rounds" data
	done
}

files_shown() {
	od -A n -t u4 -N 4 "$PAGERD_SOCKET.files" | tr -d ' '
}

nothing_shown() {
	[ "$(files_shown)" = 0 ]
}

# The kernel does all that is expected here.
modes 2 env

# daemon_modes OPTION...: by a daemon with these options.
daemon_modes() {
	daemon_start "$@"
	[ "$(files_shown)" = 0 ] || fail "a new daemon shows $(files_shown) files"
	modes 5 "$CTL" run --no-heap --
	daemon_must_live "after processes that share files"
	until_true "files that nobody maps are shown no more" nothing_shown
	daemon_stop
	[ ! -e "$PAGERD_SOCKET.files" ] || fail "a daemon that has ended left $PAGERD_SOCKET.files"
}

daemon_modes --memory 64M
daemon_modes --memory 1M --threads 2
modes 2 "$CTL" run --memory 8M --chaos 5 --no-heap --

# Files that share blocks.
disk_make 320 xfs
must "$TEST_PROGRAM" clone 2 "$DISK/data"
must "$CTL" run --memory 8M --no-heap -- "$TEST_PROGRAM" clone 5 "$DISK/data"

# What a killed daemon has left is replaced, and nothing is left of it in the end.
daemon_start --memory 16M
kill -KILL "$DAEMON_PID"
wait "$DAEMON_PID"
place=$(readlink "$PAGERD_SOCKET.files" || echo "$PAGERD_SOCKET.files")
[ -f "$place" ] || fail "there was no filter"
before=$(stat -c %i "$place")
daemon_start --memory 16M
[ "$(stat -L -c %i "$PAGERD_SOCKET.files")" != "$before" ] || fail "the filter is an old one"
[ "$place" = "$PAGERD_SOCKET.files" ] || [ ! -e "$place" ] || fail "left $place"
daemon_stop
