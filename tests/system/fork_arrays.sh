#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program with large arrays forks; parent, child and grandchild write and check their own and
# the shared one.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

paged 16 "$PROGRAMS/fork_arrays" 32 3 || fail "status $?"
memory_kept_to
