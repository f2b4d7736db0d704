#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# aio(7) is there where it loses nothing, and is not (ENOSYS) for O_DIRECT reads into paged memory
# and for files that are mapped.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/aio" scratch >plain
[ "$(grep -c ': done$' plain)" = 11 ] || fail "without the pager: $(cat plain)"
sed -E '/^(direct (read|read64|list|list64)|mapped (read|write)):/s/: .*/: Function not implemented/' \
	plain >wanted
expect_status 0 "$CTL" run --no-heap --swap "$SWAP" --verbose -- "$PROGRAMS/aio" scratch
must cmp wanted out
expect_text err "pagerd: aio is refused"
expect_status 0 env LD_PRELOAD="$PAGERD_BUILD/client/libpagerd-preload.so" PAGERD_SOCKET= \
	"$PROGRAMS/aio" scratch
must cmp plain out
