#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# posix_fallocate works on a file system that has no such call, for plain and mapped files, and
# leaves alone what is there.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/disk.sh
. "$TESTS/lib/disk.sh"

disk_make 32 ext2
cat >program <<'PROGRAM'
import errno
import mmap
import os
import sys

SIZE = 1 << 20
HEAD = b"written before" * 1000
for name in "plain", "mapped":
    file = os.open(f"{sys.argv[1]}/{name}", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.write(file, HEAD)
    if name == "mapped":
        memory = mmap.mmap(file, len(HEAD))
        memory[-1] = ord("!")
        HEAD = HEAD[:-1] + b"!"
    os.posix_fallocate(file, 100, SIZE - 100)
    status = os.fstat(file)
    data = os.pread(file, 2 * SIZE, 0)
    assert status.st_size == SIZE, status
    assert status.st_blocks * 512 >= SIZE, status
    assert data == HEAD.ljust(SIZE, b"\0"), name
try:
    os.posix_fallocate(file, -1, SIZE)
except OSError as error:
    assert error.errno == errno.EINVAL, error
else:
    sys.exit("a negative offset was taken")
PROGRAM
must "$CTL" run --memory 16M --swap "$SWAP" -- "$PYTHON" program "$DISK"
