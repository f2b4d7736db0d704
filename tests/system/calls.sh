#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every memory call does under the pager what it does under the kernel: the same program passes
# with both.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/calls" scratch >plain
paged 8 "$PROGRAMS/calls" scratch >paged.out
status=$?
cat paged.out >&2
[ "$status" = 0 ] || fail "status $status under the pager; see above what passed"
memory_kept_to
must cmp plain paged.out
