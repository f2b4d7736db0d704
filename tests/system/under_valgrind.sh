#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What valgrind runs, which has libraries of its own preloaded, is not paged, and says so.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

cp "$PROGRAMS/libdeep_binding.so" vgpreload_core.so
must "$PROGRAMS/calls" scratch sparse >plain
expect_status 0 env LD_PRELOAD="$TEST_DIR/vgpreload_core.so" \
	"$CTL" run --memory 8M --swap "$SWAP" --verbose -- "$PROGRAMS/calls" scratch sparse
must cmp plain out
expect_text err "pagerd: under valgrind nothing is paged"
expect_text err "Maximum resident set size .*: 0$"
