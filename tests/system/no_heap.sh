#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --no-heap leaves malloc alone; without it, the heap is paged too.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

preloaded() {
	expect_status 0 "$@" env
	grep '^LD_PRELOAD=' out >preload || fail "nothing is preloaded"
}
preloaded "$CTL" run --memory 8M --swap "$SWAP" --
expect_text preload 'malloc'
expect_text preload 'libpagerd-preload'
preloaded "$CTL" run --memory 8M --swap "$SWAP" --no-heap --
expect_text preload 'libpagerd-preload'
grep -q malloc preload && fail "--no-heap preloads an allocator all the same"
# What the user preloads stays.
preloaded env LD_PRELOAD="$PAGERD_BUILD/client/libpagerd.so" "$CTL" run --memory 8M --swap "$SWAP" --
expect_text preload 'libpagerd\.so'
