#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Random programs of memory calls do under the pager, in 64 pages, what they do under the kernel.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/differential/compare
. "$TESTS/differential/compare"

differ_all private 50 -n 500
