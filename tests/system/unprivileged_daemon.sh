#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An ordinary user's daemon runs, or says what is missing and how to grant it, with status 77
# (125 from a run that cannot start its daemon).
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

[ "$(id -u)" = 0 ] || skip "only root can start programs as another user"
mkdir -m 755 programs
must cp "$CTL" "$PAGERD_BUILD"/client/*.so "$PAGERD_BUILD/daemon/pagerd" "$PROGRAMS/pages" programs
chmod -R a+rX programs
mkdir -m 777 theirs theirs/swap
chmod 755 .
export PAGERD_SOCKET=$TEST_DIR/theirs/pagerd.sock
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}
as_nobody programs/pagerctl run --memory 8M --swap theirs/swap -- \
	programs/pages anon 8192 write 0 8192 1 check 0 8192 1 >out 2>err
status=$?
case $status in
0) ;;
125)
	expect_text err 'userfaultfd'
	expect_status 77 as_nobody programs/pagerd --memory 8M --swap theirs/swap \
		--socket "$PAGERD_SOCKET"
	expect_text err 'userfaultfd'
	;;
*)
	cat err >&2
	fail "status $status"
	;;
esac
