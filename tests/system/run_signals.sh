#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerctl run passes signals on to its command, which ends as it sees fit.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

cat >program <<'PROGRAM'
import signal
import sys
import time

memory = bytearray(8 << 20)
for name in sys.argv[1:]:
    signal.signal(getattr(signal, "SIG" + name), lambda number, frame: sys.exit(40 + number))
for name in ("ALRM", "VTALRM", "IO", "RTMIN"):
    signal.signal(getattr(signal, "SIG" + name), lambda number, frame: print(number, flush=True))
print("ready", flush=True)
while True:
    time.sleep(0.1)  # and not pause: Python would not see what came just before it
PROGRAM

# start_waiting SIGNAL...: a command that handles those; its pagerctl is $runner.
start_waiting() {
	rm -f ready
	mkfifo ready
	"$CTL" run --memory 4M --swap "$SWAP" -- "$PYTHON" program "$@" >ready &
	runner=$!
	at_exit "end_process $runner"
	exec 8<ready
	read -r line <&8
	[ "$line" = ready ] || fail "the command did not start"
}

# ended_with STATUS: the runner ends so.
ended_with() {
	local status
	wait "$runner"
	status=$?
	[ "$status" = "$1" ] || fail "status $status, not $1"
}

for name in TERM INT HUP USR1 USR2; do
	start_waiting $name
	kill -$name "$runner"
	ended_with $((40 + $(kill -l $name)))
done
# The default action of a signal that the command does not handle: it dies of it.
start_waiting USR1
for name in ALRM VTALRM IO RTMIN; do
	kill -$name "$runner"
	read -r line <&8
	[ "$line" = "$(kill -l $name)" ] || fail "the command got $line and not $name"
done
kill -TERM "$runner"
ended_with 143
