#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A disk that cannot be read under a mapped file: SIGBUS on those pages only, no more than the
# kernel gives; the others are right, and the daemon goes on.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/disk.sh
. "$TESTS/lib/disk.sh"

PAGES=$((32 * 256))
disk_make 64
must "$PROGRAMS/pages" create "$DISK/data" $PAGES 1
# A loop device gives read errors where the file behind it has ended.
must truncate -s 24M image

bad_pages() {
	must "$PYTHON" "$TESTS/lib/uncache" "$DISK/data"
	"$@" "$PROGRAMS/pages" view "$DISK/data" $PAGES try-check 0 $PAGES 1
}
plain=$(bad_pages env) || fail "the plain run: wrong data"
[ "$plain" -gt 0 ] || fail "this disk has no read errors"
daemon_start --memory 8M
found=$(bad_pages "$CTL" run --) || fail "wrong data in the pages that can be read"
# The kernel reads, and fails, several pages together; a pager may do better, not worse.
{ [ "$found" -gt 0 ] && [ "$found" -le "$plain" ]; } ||
	fail "$found pages gave SIGBUS, $plain from the kernel"
expect_text "$DAEMON_LOG" 'read.*(error|fail)|(error|fail).*read|input/output'
daemon_must_live "after read errors"
must "$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1
daemon_stop
