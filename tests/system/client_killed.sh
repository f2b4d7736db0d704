#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clients are killed at any instant, alone and in groups: the daemon goes on, and has all of their
# memory and swap back. TEST_SEED chooses the instants.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

SEED=${TEST_SEED:-1}
RANDOM=$SEED
say "seed $SEED"
daemon_start --memory 8M

# kill_at TICKS OPTIONS...: kill the program's whole process group after so much work.
kill_at() {
	local ticks=$1 count runner
	shift
	rm -f ticks
	mkfifo ticks
	setsid "$CTL" run -- "$PROGRAMS/stress" -f data -g 4096 -n 100000000 -k 300 "$@" \
		>ticks 2>/dev/null &
	runner=$!
	at_exit "end_process $runner"
	{
		for ((count = 0; count < ticks; count++)); do
			read -r _ || fail "the program ended before it could be killed"
		done
		kill -KILL -- "-$runner"
	} <ticks
	wait "$runner" 2>/dev/null
	daemon_must_live "after a client was killed"
	until_true "the daemon has everything back" daemon_is_empty
}

for ((round = 0; round < 12; round++)); do
	kill_at $((1 + RANDOM % 20)) -s $round -m private -t 2
	kill_at $((1 + RANDOM % 20)) -s $round -m private,shared,file -t 2 -p 3
done
# Killed while it starts, at a moment that nothing tells.
for ((round = 0; round < 20; round++)); do
	setsid "$CTL" run -- "$PROGRAMS/stress" -m private,file -f data -g 1024 -n 1000 -p 2 \
		>/dev/null 2>&1 &
	runner=$!
	for ((count = RANDOM % 3000; count > 0; count--)); do :; done
	kill -KILL -- "-$runner" 2>/dev/null || kill -KILL "$runner"
	wait "$runner" 2>/dev/null
	daemon_must_live "after a client was killed while it started"
done
until_true "the daemon has everything back" daemon_is_empty
must "$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1
daemon_stop
