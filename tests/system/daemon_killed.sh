#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The daemon is killed: nobody reads a wrong byte. pagerctl run ends the command with all that it
# has started, whoever its parent is by then; and nothing of a private daemon stays behind.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

# Its own memory stays the kernel's (--min): so it goes on checking until the first page that is
# not there. "checker PIDS": with a child, and one that has left its parent, session and group.
cat >checker <<'PROGRAM'
import mmap
import os
import random
import sys

PAGES = 8192


def check():
    source = random.Random(os.getpid())
    while True:
        page = source.randrange(PAGES)
        found = memory[page * 4096:page * 4096 + 8]
        if found != page.to_bytes(8, "little"):
            with open("wrong", "a", encoding="ascii") as file:
                file.write(f"{os.getpid()}: page {page} has {found}\n")
            os._exit(1)


def process():
    """A new one that checks."""
    if os.fork() == 0:
        with open(sys.argv[1], "a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        check()


memory = mmap.mmap(-1, PAGES * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for number in range(PAGES):
    memory[number * 4096:number * 4096 + 8] = number.to_bytes(8, "little")
process()
middle = os.fork()
if middle == 0:
    os.setsid()
    process()
    os._exit(0)
os.waitpid(middle, 0)
process()
if len(sys.argv) == 2:
    check()
PROGRAM

# The file is mapped and changed; when the daemon has gone, it is read, or mapped once more.
cat >file_user <<'PROGRAM'
import mmap
import os
import sys

file = os.open("data", os.O_RDWR | os.O_CREAT, 0o600)
os.write(file, b"o" * 65536)
memory = mmap.mmap(file, 65536)
memory[0:1] = b"n"
print("ready", flush=True)
os.read(0, 1)
if sys.argv[1] == "read":
    print("went on", os.pread(file, 1, 0))
else:
    print("went on", mmap.mmap(file, 65536)[0:1])
PROGRAM

export XDG_RUNTIME_DIR=$TEST_DIR/runtime
mkdir -m 700 runtime
OPTIONS=(--no-heap --min 16M)

# checkers_start COUNT ARGS...: "pagerctl run ARGS" of the checker; COUNT processes of it say that
# they check. Its pagerctl is $runner.
checkers_start() {
	local count=$1
	shift
	: >pids
	"$CTL" run "${OPTIONS[@]}" "$@" &
	runner=$!
	at_exit "end_process $runner"
	until_true "all of them check" checkers_are "$count"
}

checkers_are() {
	[ "$(wc -l <pids)" = "$1" ]
}

private_daemon() {
	cat runtime/pagerctl-*/pagerd.sock.lock
}

runtime_is_empty() {
	[ -z "$(ls -A runtime)" ]
}

nothing_wrong() {
	[ ! -e wrong ] || fail "wrong data: $(cat wrong)"
}

# all_ended WHEN: no process of the checker is there any more.
all_ended() {
	local pid
	while read -r pid; do
		! process_alive "$pid" || fail "process $pid is there $1"
	done <pids
	nothing_wrong
}

# runner_failed: with the status for a failure of its own.
runner_failed() {
	local status
	wait "$runner"
	status=$?
	[ "$status" = 125 ] || fail "status $status, not 125, from a run whose daemon was killed"
}

for ((round = 0; round < 4; round++)); do
	checkers_start 3 --memory 8M --swap "$SWAP" -- "$PYTHON" checker pids
	kill -KILL "$(private_daemon)"
	runner_failed
	all_ended "after pagerctl has ended"
	runtime_is_empty || fail "left behind: $(ls -AR runtime)"
done

# What the command has left in the background has nobody to end it: it waits, and reads nothing.
checkers_start 3 --memory 8M --swap "$SWAP" -- "$PYTHON" checker pids background
wait "$runner" || fail "status $? from a run that leaves processes behind"
while read -r pid; do
	at_exit "kill -KILL $pid 2>/dev/null"
done <pids
kill -KILL "$(private_daemon)"
until_true "nothing is left of the daemon" runtime_is_empty
checkers_wait() {
	local pid
	while read -r pid; do
		grep -q '^State:.*sleeping' "/proc/$pid/status" || return 1
	done <pids
}
until_true "they wait" checkers_wait
nothing_wrong
while read -r pid; do
	kill -KILL "$pid"
done <pids

# A run that was killed itself, too.
: >pids
start_program out "$CTL" run "${OPTIONS[@]}" --memory 8M --swap "$SWAP" -- "$PYTHON" checker pids
until_true "all of them check" checkers_are 3
checkers=$("$CTL" status --json --socket "$(echo runtime/pagerctl-*/pagerd.sock)" |
	"$PYTHON" -c 'import json, sys; print(*(c["pid"] for c in json.load(sys.stdin)["clients"]))')
kill -KILL "$PROGRAM" "$(private_daemon)"
until_true "nothing is left of the daemon" runtime_is_empty
nothing_wrong
for pid in $checkers; do
	kill -KILL "$pid"
done

# What was stored through a mapping of a file was the daemon's: the file without it is wrong data.
for use in read map; do
	rm -f data
	start_program out "$CTL" run "${OPTIONS[@]}" --memory 8M --swap "$SWAP" -- "$PYTHON" file_user $use
	program_says ready out
	user=$("$CTL" stat --json --socket "$(echo runtime/pagerctl-*/pagerd.sock)" |
		"$PYTHON" "$TESTS/lib/json_get" clients.0.pid)
	daemon=$(private_daemon)
	kill -KILL "$PROGRAM"
	wait "$PROGRAM" 2>/dev/null
	kill -KILL "$daemon"
	until_true "nothing is left of the daemon" runtime_is_empty
	tell_program
	user_ended() {
		! process_alive "$user"
	}
	until_true "the file's user ends" user_ended
	! grep -q "went on" out || fail "it went on with the file as it was: $(cat out)"
done

# The same with a daemon that was joined.
daemon_start --memory 8M
checkers_start 3 -- "$PYTHON" checker pids
kill -KILL "$DAEMON_PID"
runner_failed
all_ended "after pagerctl has ended"
wait "$DAEMON_PID"
DAEMON_PID=
