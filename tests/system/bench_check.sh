#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The self-check: what one thread misses live is what the simulator says, to the last page.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

SEED=${SEED:-$RANDOM}
say "seed $SEED"
check() {
	must "$BENCH" check --dir "$SWAP" --seed "$SEED" --references 4000 "$@"
}

# Dirty pages: anonymous memory, and a file that is written.
check --workload zipf,loop,zigzag,hot-cold --data 400 --sizes 64,30%
check --workload hash-join,matrix-blocks --data 400 --sizes 100 --file
# Clean pages. What the other policies see of one thread is nothing but faults, too.
check --workload zipf,btree,bfs --data 500 --sizes 64,50% --file --read-only
check --workload zipf,moving+loop --data 300 --sizes 90 --file --read-only --policy lru,lfu
bench_left_nothing
