#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerctl run --verbose says at the end what the paged memory took; without, nothing is added.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

pages() {
	expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" "$@" -- \
		"$PROGRAMS/pages" anon 8192 write 0 8192 1 check 0 8192 1 say finished
	[ "$(cat out)" = finished ] || fail "something was added to the program's output"
}
pages
[ ! -s err ] || {
	cat err >&2
	fail "something is said without --verbose"
}
pages --verbose
for words in 'major.*faults' 'minor.*faults' 'pages.*(in|read)' 'pages.*(out|written)' \
	'(largest|maximum).*resident'; do
	expect_text err "$words"
done
