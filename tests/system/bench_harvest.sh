#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# With harvested access information, too, the daemon misses what the simulator says, to 3 %. Where the
# agent gets no processor for a while, references are not seen: what differs is run again, twice.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

"${DAEMON_COMMAND[@]}" --help | grep -q harvest || skip "this daemon has no harvest"
policies=lru
for policy in s3fifo sieve; do
	"${DAEMON_COMMAND[@]}" --help | grep -q "^ *$policy " && policies+=,$policy
done
SEED=${SEED:-$RANDOM}
say "seed $SEED"
agrees() {
	"$BENCH" check --dir "$SWAP" --seed "$SEED" --references 20000 --access harvest:1 \
		--workload zipf,moving --data 2000 --sizes 500 --file --read-only \
		--policy "$policies" --tolerance 3 >&2
}
agrees || agrees || agrees || fail "three runs differ from the simulator"
bench_left_nothing
