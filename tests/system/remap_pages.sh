#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# remap_file_pages gives a mapping's pages another order, under the pager as without it.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/remap_pages" plain.file
expect_status 0 "$CTL" run --memory 256K --swap "$SWAP" -- "$PROGRAMS/remap_pages" paged.file
expect_text out "remapped pages right"
must cmp plain.file paged.file
expect_status 0 "$CTL" run --chaos 4 --swap "$SWAP" -- "$PROGRAMS/remap_pages" chaos.file
must cmp plain.file chaos.file
