#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same as system/fuzz_traces for longer.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/build.sh
. "$TESTS/lib/build.sh"
# shellcheck source=tests/lib/fuzz.sh
. "$TESTS/lib/fuzz.sh"

fuzz_traces 5000000
