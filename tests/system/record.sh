#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A recorded program's trace holds what it did: 1000 pages written, read twice, some written again,
# with no page read or written for it, but those of a file, once, before it ends. A trace that was not
# ended is known as such.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

SIM=$PAGERD_BUILD/bench/pagersim

# counted KEY TRACE: what pagersim says of an LRU of 500 pages on it.
counted() {
	must "$SIM" --policy lru --size 500 --json out.json "$2" >/dev/null
	"$PYTHON" "$TESTS/lib/json_get" "$1" <out.json
}

for kind in anon shared "file data"; do
	must "$PROGRAMS/pages" create data 1000 1
	read -r -a words <<<"$kind"
	expect_status 0 "$CTL" record -o trace --resident 32 --no-heap --swap "$SWAP" --verbose -- \
		"$PROGRAMS/pages" "${words[@]}" 1000 write 0 1000 1 check 0 1000 1 \
		check 0 1000 1 write 0 100 2
	out=0
	[ "$kind" != "file data" ] || out=1000
	expect_text err "Pages out: $out\$"
	[ "$(counted references trace)" = 3100 ] ||
		fail "$kind: $(counted references trace) references, not 3100"
	[ "$(counted writes trace)" = 1100 ] || fail "$kind: $(counted writes trace) writes, not 1100"
	[ "$(counted misses trace)" = 3100 ] || fail "an LRU of 500 pages missed some of 1000 in a row"
done

head -c -20 trace >cut
"$SIM" --policy lru --size 500 cut >out 2>err && fail "a trace that breaks off was taken for whole"
expect_text err 'cut'

# A program of others.
expect_status 0 "$CTL" record --output=trace --min 64K -- "$PYTHON" -c 'print(sum(range(200000)))'
expect_text out '^19999900000$'
[ "$(counted references trace)" -gt 100 ] || fail "next to nothing of python was recorded"

expect_status 64 "$CTL" record -- true
expect_text err 'FILE'
expect_status 64 "$CTL" record -o trace --resident 3 -- true
expect_text err '16 pages'
expect_status 125 "$CTL" record -o "$TEST_DIR/none/trace" -- true
expect_text err 'none/trace'
