#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many private pages of files, in less memory than they need: written by threads, read back, had by a
# child of fork, forgotten by MADV_DONTNEED; the file stays as it was.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

for memory in 256K 2M; do
	expect_status 0 "$CTL" run --no-heap --min 4096 --memory $memory --swap "$SWAP" -- \
		"$PROGRAMS/private_file" pages file.$memory 2000
	expect_text out "pages right"
done
for seed in 1 2 3; do
	expect_status 0 "$CTL" run --no-heap --chaos $seed --memory 256K --swap "$SWAP" -- \
		"$PROGRAMS/private_file" pages file.$seed 300
	expect_text out "pages right"
done
