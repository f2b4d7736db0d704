#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Wrong command lines: status 64, and a message that names what is wrong.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

# wrong TEXT COMMAND...: the message must match the text.
wrong() {
	local text=$1
	shift
	expect_status 64 "$@"
	expect_text err "$text"
}
pagerd=("${DAEMON_COMMAND[@]}" --socket "$PAGERD_SOCKET" --swap "$SWAP")

wrong 'usage|command' "$CTL"
wrong frobnicate "$CTL" frobnicate
wrong 'run|command' "$CTL" run
wrong frobnicate "$CTL" run --frobnicate -- true
wrong 'memory|12Q' "$CTL" run --memory 12Q -- true
wrong 'policy|best' "$CTL" run --memory 8M --policy best --swap "$SWAP" -- true
wrong '64X' "$CTL" run --memory=64X -- true
wrong 'no-heap' "$CTL" run --no-heap=1 -- true
wrong 'swap.*value' "$CTL" run --swap
wrong 'too small|256K' "$CTL" run --memory 100K -- true
wrong 'value' "$CTL" set memory=
wrong 'lots.*size' "$CTL" set memory=lots
wrong 'pid|twelve' "$CTL" maps twelve
wrong 'set|=' "$CTL" set
wrong frobnicate "${pagerd[@]}" --frobnicate
wrong '12Q' "${pagerd[@]}" --memory 12Q
wrong 'memory|-5' "${pagerd[@]}" --memory=-5M
wrong 'best' "${pagerd[@]}" --memory 8M --policy best
wrong 'lfu.*decay' "${pagerd[@]}" --memory 8M --policy lfu:decay=never
wrong 'lru.*decay' "${pagerd[@]}" --memory 8M --policy lru:decay=1
wrong 'latency|maybe' "${pagerd[@]}" --memory 8M --low-latency maybe
wrong 'extra' "${pagerd[@]}" --memory 8M extra
for words in --help 'run --help' 'stat -h'; do
	read -r -a words <<<"$words"
	expect_status 0 "$CTL" "${words[@]}"
	expect_text out usage
done
must "$CTL" run --memory=8MiB --policy=lfu "--swap=$SWAP" -- true
[ ! -e "$PAGERD_SOCKET" ] || fail "a socket was left behind"
