#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Random bytes as traces: an error or references, and nothing that a sanitizer finds. Long runs:
# stress/long_fuzz_traces.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/build.sh
. "$TESTS/lib/build.sh"
# shellcheck source=tests/lib/fuzz.sh
. "$TESTS/lib/fuzz.sh"

fuzz_traces 15000
