#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An ordinary user's program is paged by root's daemon; nobody gave it any privilege.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

[ "$(id -u)" = 0 ] || skip "only root can start programs as another user"
mkdir -m 755 programs
must cp "$CTL" "$PAGERD_BUILD"/client/{*.so,libpagerd.so.0} "$PROGRAMS"/{pages,stress} programs
chmod -R a+rX programs
mkdir -m 777 theirs
daemon_start --memory 8M
chmod 755 .

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all \
		--bounding-set=-all "$@"
}
must as_nobody programs/pagerctl run -- programs/pages anon 8192 write 0 8192 1 check 0 8192 1
# The stress program is linked with libpagerd.so, which is beside it here.
export LD_LIBRARY_PATH=$TEST_DIR/programs
must as_nobody programs/pagerctl run -- programs/stress -m private,shared,file -f theirs/data \
	-p 2 -t 2 -g 2048 -n 5000 -o theirs/state
must programs/stress -f theirs/data -V theirs/state
daemon_must_live "after an ordinary user's programs"
daemon_stop
