#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No swap directory, no directory at all, no write permission: status 73 (125 from a run that
# cannot start its daemon) and a message that names the directory.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

# refused DIR TEXT
refused() {
	expect_status 73 "${DAEMON_COMMAND[@]}" --socket "$PAGERD_SOCKET" --memory 8M --swap "$1"
	expect_text err "$1"
	expect_text err "$2"
	expect_status 125 "$CTL" run --memory 8M --swap "$1" -- touch ran
	expect_text err "$1"
	[ ! -e ran ] || fail "the command ran all the same"
}

refused "$TEST_DIR/none" 'no such'
: >plain_file
refused "$TEST_DIR/plain_file" 'not a directory'

[ "$(id -u)" = 0 ] || skip "only root can make a read-only mount to test with"
mkdir readonly
must mount --bind readonly readonly
at_exit "umount $TEST_DIR/readonly"
must mount -o remount,ro,bind readonly
refused "$TEST_DIR/readonly" 'read-only'
