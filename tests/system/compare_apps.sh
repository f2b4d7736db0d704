#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The applications of bench/compare: each gives what it has to, and nothing is left behind, also when
# it is told to end while a server runs.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

COMPARE=$TESTS/../bench/compare

cgroup_find || skip "$CGROUP_WHY"
[ -w /dev/cpu_dma_latency ] || skip "no /dev/cpu_dma_latency to hold"
[ "$(id -u)" = 0 ] || skip "needs root"

# Not under the kernel, which takes minutes for this in so little memory.
must "$COMPARE" --runs 1 --memory 16 --dir "$SWAP" --systems us,plain --csv compare.csv \
	--cases sort,redis,sqlite,crowd,vast-swapped,vast-64T >out
cat out >&2
bench_left_nothing
"$PYTHON" - <<-'END' || fail "compare.csv is not what it should be"
	import collections, csv
	found = collections.defaultdict(set)
	for row in csv.DictReader(open("compare.csv")):
	    assert float(row["value"]) > 0, row
	    found[row["case"]].add(row["system"])
	names = ["sort", "redis-zipf", "sqlite-scan", "sqlite-lookup", "vast-swapped", "vast-64T"]
	names += ["crowd-" + name for name in ("1x8", "1x512", "64x8", "total", "total8", "p99")]
	assert found == {**{name: {"us"} for name in names}, "redis-fits": {"us", "plain"}}, found
	END

"$COMPARE" --memory 64 --dir "$SWAP" --systems us --cases redis-zipf 2>err &
compare=$!
at_exit "end_process $compare"
server_answers() {
	redis-cli -s "$SWAP"/pagerd-bench.*/redis.sock ping >/dev/null 2>&1 ||
		! process_alive "$compare"
}
until_true "the server answers" server_answers
must kill -TERM "$compare"
wait "$compare"
status=$?
[ "$status" = 143 ] || fail "told to end, it ended with status $status"
bench_left_nothing
