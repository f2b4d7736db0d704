#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerctl without a daemon: status 69, and a message that names the socket.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

for command in status stat "maps 1" "set policy=lru"; do
	read -r -a words <<<"$command"
	expect_status 69 "$CTL" "${words[@]}"
	expect_text err "$PAGERD_SOCKET"
done
# A socket that nobody listens on any more is no daemon either; a new one may take its place.
must "$PYTHON" -c "
import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind('$PAGERD_SOCKET')"
expect_status 69 "$CTL" status
daemon_start --memory 8M
daemon_stop
