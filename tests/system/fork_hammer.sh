#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program forks while its other threads write: each copy is of one moment, and does not change.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

paged 16 "$PROGRAMS/fork_hammer" 24 10 || fail "status $?"
memory_kept_to
