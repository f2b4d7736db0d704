#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A library loaded with RTLD_DEEPBIND has the program's allocator, and is found by its RUNPATH.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/deep_binding"
expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" -- "$PROGRAMS/deep_binding"
expect_text out "released"
