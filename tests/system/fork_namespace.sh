#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A child of fork that has its parent's process number, in a PID namespace, is a child all the same.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

unshare --pid --fork "$PROGRAMS/fork_namespace" >plain || skip "no PID namespaces here"
expect_status 0 "$CTL" run --no-heap --memory 4M --swap "$SWAP" -- \
	unshare --pid --fork "$PROGRAMS/fork_namespace"
must cmp plain out
