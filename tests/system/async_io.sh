#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs of which memory is paged get no asynchronous I/O, which could lose what it reads there;
# others, which have the library preloaded as well, do.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/async_io" >plain
expect_text plain "^a ring$"
expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" --verbose -- "$PROGRAMS/async_io"
expect_text out "^Function not implemented$"
expect_text err "pagerd: io_uring is refused"
expect_status 0 env LD_PRELOAD="$PAGERD_BUILD/client/libpagerd-preload.so" PAGERD_SOCKET= \
	"$PROGRAMS/async_io"
must cmp plain out
