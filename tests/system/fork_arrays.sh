#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program with large arrays forks; parent, child and grandchild write and check their own and
# the shared one. What is read ahead for their strided writes is used: pages are not read over and
# over.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES_IN_MAX=1000000 # some 250 000 are read; ahead in vain, it were ten million

paged 16 "$PROGRAMS/fork_arrays" 32 3 2> err || {
	cat err >&2
	fail "a paged program"
}
cat err >&2
memory_kept_to
pages_in=$(sed -n 's/.*Pages in: //p' err)
[ "$pages_in" -le $PAGES_IN_MAX ] || fail "$pages_in pages were read"
