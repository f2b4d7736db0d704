#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Loading a library does not wait for a thread that uses the C library's calls for the first time,
# and what dlerror(3) has to tell is not forgotten by them.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/loading"
expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" -- "$PROGRAMS/loading"
expect_text out "loaded"
