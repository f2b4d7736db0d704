#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that changes private pages of a file, reads another that is shared, and forks, is
# stopped at any moment, many times: by a signal, by a cgroup, or its agent alone by a debugger.
# Another that reads what is shared goes on as if it were not there, and it goes on with what it had.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

OWN=3000 # pages
DATA=12000

cat >changes <<'PROGRAM'
import mmap
import os
import random
import signal
import sys

pages = int(sys.argv[2])
ended = []
signal.signal(signal.SIGTERM, lambda *ignored: ended.append(True))
file = os.open(sys.argv[1], os.O_RDWR)
memory = mmap.mmap(file, pages * mmap.PAGESIZE, mmap.MAP_PRIVATE)
shared_pages = int(sys.argv[3])
shared = mmap.mmap(os.open("data", os.O_RDWR), shared_pages * mmap.PAGESIZE)
written = [bytes(16)] * pages


def check(page):
    at = page * mmap.PAGESIZE + 4080
    assert memory[at:at + 16] == written[page], (page, memory[at:at + 16], written[page])


turn = 0
while not ended:
    turn += 1
    page = random.randrange(pages)
    check(page)
    written[page] = b"%016x" % (turn << 16 | page)
    memory[page * mmap.PAGESIZE + 4080:page * mmap.PAGESIZE + 4096] = written[page]
    page = random.randrange(shared_pages)
    assert int.from_bytes(shared[page * mmap.PAGESIZE:page * mmap.PAGESIZE + 8], "little") == page
    if turn == 2 * pages:
        print("changes", flush=True)
    if turn % (4 * pages) == 0:
        child = os.fork()
        if child == 0:
            for page in random.sample(range(pages), pages // 8):
                check(page)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
for page in range(pages):
    check(page)
PROGRAM

cat >reads <<'PROGRAM'
import mmap
import os
import random
import sys

pages = int(sys.argv[2])
file = os.open(sys.argv[1], os.O_RDWR)
memory = mmap.mmap(file, pages * mmap.PAGESIZE)
progress = os.open("progress", os.O_RDWR)
count = 0
while True:
    page = random.randrange(pages)
    number = memory[page * mmap.PAGESIZE:page * mmap.PAGESIZE + 8]
    assert number == page.to_bytes(8, "little"), (page, number)
    count += 1
    if count % 16 == 0:
        os.pwrite(progress, count.to_bytes(8, "little"), 0)
PROGRAM

cat >stops <<'PROGRAM'
import ctypes
import os
import random
import signal
import sys
import time

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
ROUNDS, ACCESSES = 15, 20000
process, freezer = int(sys.argv[1]), sys.argv[2]
progress = os.open("progress", os.O_RDONLY)
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def agent():
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/comm", encoding="ascii") as name:
            if name.read() == "pagerd-agent\n":
                return int(task)
    raise AssertionError("it has no agent")


def trace(stops):
    thread = agent()
    if not stops:
        assert ptrace(DETACH, thread, None, None) == 0
        return
    assert ptrace(SEIZE, thread, None, None) == 0, ctypes.get_errno()
    assert ptrace(INTERRUPT, thread, None, None) == 0
    os.waitpid(thread, 0x40000000)  # __WALL


def send(stops):
    os.kill(process, signal.SIGSTOP if stops else signal.SIGCONT)


def freeze(stops):
    with open(freezer + "/freezer.state", "w", encoding="ascii") as state:
        state.write("FROZEN" if stops else "THAWED")


def accesses():
    return int.from_bytes(os.pread(progress, 8, 0), "little")


def goes_on(more):
    end = accesses() + more
    started = time.monotonic()
    while accesses() < end:
        assert time.monotonic() - started < 60, "the other does not go on"
        time.sleep(0.002)
    return time.monotonic() - started


ways = [send, trace] + [freeze] * bool(freezer)
if freezer:
    with open(freezer + "/cgroup.procs", "w", encoding="ascii") as group:
        group.write(str(process))
for turn in range(ROUNDS):
    time.sleep(random.random() * 0.05)
    way = ways[turn % len(ways)]
    way(True)
    try:
        seconds = goes_on(ACCESSES)
    finally:
        way(False)
    print(f"{way.__name__}: {ACCESSES / seconds:.0f} accesses a second", flush=True)
    goes_on(1)
PROGRAM

FREEZER=$(awk '$3 == "cgroup" && $4 ~ /(^|,)freezer(,|$)/ { print $2; exit }' /proc/mounts)
if [ -n "$FREEZER" ] && mkdir "$FREEZER/$CGROUP_NAME.$$" 2>/dev/null; then
	FREEZER=$FREEZER/$CGROUP_NAME.$$
	at_exit "cgroup_remove_dir $FREEZER" # what was frozen ends only when it is thawed
else
	say "no cgroup freezer, version 1"
	FREEZER=
fi
# Whatever happens, it is not left stopped.
at_exit "[ -z \"$FREEZER\" ] || echo THAWED >\"$FREEZER/freezer.state\""

must truncate -s $((OWN * 4096)) own
must truncate -s 8 progress
"$PYTHON" -c "import sys
for page in range($DATA):
    sys.stdout.buffer.write(page.to_bytes(8, 'little').ljust(4096, b'\0'))" >data
daemon_start --memory 16M
"$CTL" run --no-heap -- "$PYTHON" reads data $DATA &
READER=$!
at_exit "end_process $READER"
start_program out "$CTL" run --no-heap -- "$PYTHON" changes own $OWN $DATA
program_says changes out
read -r -a child <"/proc/$PROGRAM/task/$PROGRAM/children"
at_exit "kill -CONT ${child[0]} 2>/dev/null"
must "$PYTHON" stops "${child[0]}" "$FREEZER" >&2
process_alive "$READER" || fail "the other has ended"
must kill -TERM "${child[0]}"
program_ends "that was stopped"
end_process "$READER"
daemon_must_live "after a client was stopped"
daemon_stop
