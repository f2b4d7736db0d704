#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that goes round and round over twice the memory: auto finds out that what came last has
# to leave, says so, and no page is lost on the way; then another workload, and it changes again.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

cat >rounds.py <<'E2'
import mmap
PAGES = 4096
memory = mmap.mmap(-1, PAGES * 4096)
for page in range(PAGES):
    memory[page * 4096:page * 4096 + 4] = page.to_bytes(4, "little")
def check(page):
    assert memory[page * 4096:page * 4096 + 4] == page.to_bytes(4, "little"), page
for turn in range(12):
    for page in range(PAGES):
        check(page)
# A window of a quarter that moves on.
for i in range(PAGES):
    check((i * 61 % (PAGES // 4) + i // 4) % PAGES)
print("all right")
E2

daemon_start --memory 8M --policy auto:of=lru+mru --prefetch 0
"$CTL" status >out
expect_text out 'policy auto:of=lru\+mru \(lru\)'
must "$CTL" run --no-heap -- "$PYTHON" rounds.py >said
expect_text said 'all right'
daemon_must_live "after the program"
expect_text "$DAEMON_LOG" 'auto: from lru to mru: in [0-9]+ references to a sample .* lru missed [0-9]+ times, mru [0-9]+'

must "$CTL" set policy=auto
"$CTL" status >out
expect_text out 'policy auto \(w-tinylfu\)'
must "$CTL" run --no-heap -- "$PYTHON" rounds.py >said
expect_text said 'all right'
"$CTL" set policy=auto:of=lru+lrx >out 2>&1 && fail "it takes a candidate that does not exist"
expect_text out "there is no policy 'lrx'"
must "$CTL" set policy=lru
"$CTL" status >out
expect_text out 'policy lru,'
daemon_stop
