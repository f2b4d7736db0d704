#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerbench live: policies and the kernel under one workload, with what was counted in CSV and
# JSON; several threads; nothing is left behind, also when it is told to end.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

cgroup_find || skip "$CGROUP_WHY"
must "$BENCH" live --workload zipf:writes=20 --policy fifo,lru --kernel --memory 400 --data 1200 \
	--references 6000 --runs 2 --dir "$SWAP" --csv live.csv --json live.json >out
cat out >&2
[ "$(wc -l <live.csv)" = 7 ] || fail "live.csv has not two runs of three systems"
"$PYTHON" - <<-'END' || fail "live.json (or live.csv) is not what it should be"
	import csv, json
	report = json.load(open("live.json"))
	assert len(report["runs"]) == 6 and report["machine"]["processors"] >= 1
	rows = list(csv.DictReader(open("live.csv")))
	for run, row in zip(report["runs"], rows):
	    assert run["system"] == row["system"] and run["references"] == 6000
	    assert 400 < run["misses"] < 6000, run
	    assert abs(run["miss_ratio"] - run["misses"] / 6000) < 1e-6
	    assert 0 < run["miss_p50_us"] <= run["miss_p99_us"] <= run["miss_p999_us"]
	    assert run["seconds"] > 0 and run["program_cpu_seconds"] > 0
	    if run["system"] != "kernel":
	        assert run["pages_read"] > 0 and run["pages_written"] > 0 and run["evictions"] > 0
	END
must "$BENCH" live --workload loop,hot-cold --policy lru --memory 400 --data 1200 --runs 1 \
	--references 6000 --threads 3 --file --dir "$SWAP" >/dev/null
must "$BENCH" live --workload chase --policy lru --memory 25% --data 1200 --runs 1 \
	--references 3000 --threads 2 --file --read-only --advice random --prefetch 0 \
	--dir "$SWAP" >/dev/null
bench_left_nothing

# Told to end in the middle of a run that the kernel pages.
"$BENCH" live --workload uniform --kernel --memory 64M --data 128M --dir "$SWAP" 2>err &
bench=$!
at_exit "end_process $bench"
swap_is_on() {
	grep -q "$SWAP" /proc/swaps || ! process_alive "$bench"
}
until_true "it swaps" swap_is_on
must kill -TERM "$bench"
wait "$bench"
status=$?
[ "$status" = 1 ] || fail "told to end, it ended with status $status"
bench_left_nothing
