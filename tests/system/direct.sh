#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# O_DIRECT reads into memory that is paged in part do not lose to evictions.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

must "$PROGRAMS/direct" scratch 10
for chaos in "" "--chaos 1"; do
	# shellcheck disable=SC2086 # words
	expect_status 0 "$CTL" run --no-heap --min 4096 --memory 256K $chaos --swap "$SWAP" -- \
		"$PROGRAMS/direct" scratch 5
	expect_text out "direct reads right"
done
