#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A policy of the user's own that gives wrong victims ends the daemon: it says which policy did
# what, and what was changed is in the files.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
README=$TESTS/../README.md

# shellcheck disable=SC2016 # backticks
sed -n '/^### Writing one/,/^##* [^W]/p' "$README" | sed -n '/^```c$/,/^```$/p' |
	grep -v '^```' >rounds.c

# wrong WHAT: the README's policy, which after some calls ends `victims` with WHAT.
wrong() {
	sed "s/return taken;/static int calls; return taken < 2 || ++calls < 8 ? taken : ($1);/" \
		rounds.c >wrong.c
	cmp -s rounds.c wrong.c && fail "the README's policy does not return what it has taken"
	must cc -w -shared -fPIC -I "$TESTS/../include" -o wrong.so wrong.c
}

# It changes one file, says so, and then more of another than there is memory for.
cat >changes.py <<'END'
import mmap

def change(name):
    with open(name, "r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
    for page in range(len(memory) // 4096):
        memory[page * 4096] = page % 251 + 1
    return memory

kept = change("first")
print("changed", flush=True)
change("second")
END

# ends TEXT OPTIONS...: a daemon with that policy ends while the program runs.
ends() {
	local text=$1 status
	shift
	rm -f first second
	truncate -s 2M first
	truncate -s 64M second
	: >"$DAEMON_LOG"
	daemon_start --memory 16M --load-policy ./wrong.so --policy rounds "$@"
	"$CTL" run --no-heap -- "$PYTHON" changes.py >out 2>err && fail "the program ended well"
	wait "$DAEMON_PID"
	status=$?
	DAEMON_PID=
	expect_text "$DAEMON_LOG" "policy rounds: $text.*ending"
	[ "$status" = 76 ] || fail "the daemon ended with status $status"
	[ -z "$(ls -A "$SWAP")" ] || fail "the daemon left files in $SWAP"
	grep -q changed out || fail "it ended before a file was changed"
	must "$PYTHON" -c '
data = open("first", "rb").read()
for page in range(len(data) // 4096):
    assert data[page * 4096] == page % 251 + 1, f"page {page}: {data[page * 4096]}"'
}

wrong 'count + 1'
ends 'it gave [0-9]+ victims, asked for [0-9]+'
wrong '(frames[1] = ~0u, taken)'
ends 'it gave frame 4294967295 as a victim, of [0-9]+ frames'
ends 'it gave frame 4294967295 as a victim' --threads 2
wrong '(frames[1] = frames[0], taken)'
ends 'it gave frame [0-9]+ as a victim, which it does not hold'

# ---- in the simulator --------------------------------------------------------------------------

# simulated TEXT LIE
simulated() {
	wrong "$2"
	for visibility in exact harvest:1; do
		expect_status 70 "$PAGERD_BUILD/bench/pagersim" --load-policy ./wrong.so \
			--policy rounds --size 900 --visibility "$visibility" numbers
		expect_text err "rounds.*: $1"
	done
}

seq 1000 | shuf --random-source=<(yes) >numbers
simulated 'it gave frame [0-9]+ as a victim, which it does not hold' '(frames[1] = frames[0], taken)'
