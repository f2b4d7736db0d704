#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program of one thread enters a user namespace, which the kernel allows to no other: the pager's
# own thread is not in the way, and its memory is there before and after.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

unshare --user true 2>/dev/null || skip "this kernel lets nobody into a user namespace"

cat >enter.py <<'END'
import ctypes
import mmap
import os

CLONE_NEWUSER = 0x10000000
PAGES = 2048
libc = ctypes.CDLL(None, use_errno=True)
shared = mmap.mmap(-1, PAGES * 4096)
with open("file", "wb+") as file:
    file.truncate(PAGES * 4096)
    private = mmap.mmap(file.fileno(), PAGES * 4096, mmap.MAP_PRIVATE)


def fill(round):
    for page in range(PAGES):
        shared[page * 4096] = private[page * 4096] = (page + round) % 251


def check(round):
    for page in range(PAGES):
        assert shared[page * 4096] == private[page * 4096] == (page + round) % 251, page


fill(1)
before = os.readlink("/proc/self/ns/user")
assert libc.unshare(CLONE_NEWUSER) == 0, os.strerror(ctypes.get_errno())
assert os.readlink("/proc/self/ns/user") != before
assert libc.unshare(-1) == -1 and ctypes.get_errno() == 22
check(1)
fill(2)
check(2)
print("right")
END

expect_status 0 "$CTL" run --no-heap --min 4096 --memory 4M --swap "$SWAP" -- "$PYTHON" enter.py
expect_text out '^right$'
