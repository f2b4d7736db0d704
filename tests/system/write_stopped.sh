#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A client that announces a write to a file and then stops: others that write to the file through
# their mappings go on, and when it goes on itself, what it wrote shows in the mappings.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

cat >writer <<'PROGRAM'
import ctypes
import os
import sys

sys.path.insert(0, sys.argv[1])
import wire

PAGES = 16
LENGTH = PAGES * wire.PAGE
file = os.open("data", os.O_RDWR | os.O_CREAT, 0o600)
os.pwrite(file, b"o" * LENGTH, 0)

# This one is as good as stopped: it says nothing more until the other has written.
stopped = wire.Session()
userfaultfd = stopped.join()
view = stopped.map_and_register(wire.FILE_SHARED, LENGTH, file)
assert ctypes.string_at(view, LENGTH) == b"o" * LENGTH
stopped.call(wire.FILE_BEGIN, 0, wire.PAGE, wire.FILE_WRITE, 0, descriptors=[file])

other = os.fork()
if other == 0:
    with wire.Session() as session:
        own = session.join()
        address = session.map_and_register(wire.FILE_SHARED, LENGTH, file)
        ctypes.memset(address + wire.PAGE, ord("n"), wire.PAGE)
        session.call(wire.SYNC, address, LENGTH, 4, 0)  # MS_SYNC
    os._exit(0)
print("begun", flush=True)
_, status = os.waitpid(other, 0)
assert status == 0, status
print("others went on", flush=True)

os.pwrite(file, b"w" * wire.PAGE, 0)
stopped.call(wire.FILE_END, 0, wire.PAGE, 0, 0)
new = ctypes.string_at(view, LENGTH)
want = b"w" * wire.PAGE + b"n" * wire.PAGE + b"o" * (LENGTH - 2 * wire.PAGE)
assert new == want, [new[i:i + 1] for i in range(0, LENGTH, wire.PAGE)]
assert os.pread(file, LENGTH, 0) == want

# All is as before: a write that is ended in time.
stopped.call(wire.FILE_BEGIN, wire.PAGE, wire.PAGE, wire.FILE_WRITE, 0, descriptors=[file])
os.pwrite(file, b"x" * wire.PAGE, wire.PAGE)
stopped.call(wire.FILE_END, wire.PAGE, wire.PAGE, 0, 0)
assert ctypes.string_at(view + wire.PAGE, wire.PAGE) == b"x" * wire.PAGE
stopped.call(wire.UNMAP, view, LENGTH, 0, 0)
PROGRAM
daemon_start --memory 8M
"$PYTHON" writer "$TESTS/lib" >out &
PROGRAM=$!
at_exit "end_process $PROGRAM"
program_says "others went on" out
program_ends "that stops and goes on"
daemon_must_live "after a client stopped"
until_true "the daemon has everything back" daemon_is_empty
daemon_stop
