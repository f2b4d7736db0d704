#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# python3's multiprocessing by fork: the children work on a large structure of the parent's, and
# change their copies of it; same output as without the pager.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

cat >program <<'PROGRAM'
import hashlib
import multiprocessing
import random

source = random.Random(5)
table = [bytearray(source.randbytes(2000)) for _ in range(30000)]


def work(part):
    for i in range(part, len(table), 4):
        table[i][0] = part
    result = hashlib.blake2b()
    for entry in table:
        result.update(entry)
    return part, result.hexdigest()


if __name__ == "__main__":
    before = work(9)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for line in pool.map(work, range(4), chunksize=2):
            print(line)
    print(work(9) == before, before)
PROGRAM
must "$PYTHON" program >plain
paged 24 "$PYTHON" program >paged.out || fail "status $?"
memory_kept_to
must cmp plain paged.out
