#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerbench compare: a comparison that was broken off goes on where it was; the report is whole,
# and a browser shows all of it, wide and narrow.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

command -v chromium >/dev/null || skip "no chromium"
# 2 workloads, 4 policies with min and fifo where they are, 3 sizes; live at 2 of them.
COMPARE=("$BENCH" compare --out report --workloads "zipf:writes=10,moving+loop" --policies "lru,lfu"
	--data 600 --references 3000 --sizes "10%,20%,50%" --runs 2 --dir "$SWAP")

begun() {
	[ "$(find report/cells -type f 2>/dev/null | wc -l)" -ge 20 ] || ! process_alive "$bench"
}
"${COMPARE[@]}" 2>first &
bench=$!
at_exit "end_process $bench"
until_true "some cells are done" begun
kill -TERM "$bench"
wait "$bench"
status=$?
[ "$status" = 1 ] || fail "told to end, it ended with status $status"
expect_text first "told to end"
[ ! -e report/report.html ] || fail "a report of a part"
bench_left_nothing

must "${COMPARE[@]}" 2>second
tail -n 3 second >&2
expect_text second "cells, [1-9][0-9]* of them done before"
must "${COMPARE[@]}" 2>third
cells=$(sed -n '1s/ cells.*//p' third)
expect_text third "^$cells cells, $cells of them done before"
[ "$(wc -l <third)" = 1 ] || fail "it ran something again"
bench_left_nothing
[ -z "$(find report -name '*.partial')" ] || fail "partial files are left"

[ "$(wc -l <report/results.csv)" = $((cells + 1)) ] || fail "results.csv has not $cells rows"
"$PYTHON" - "$cells" <<-'END' || fail "results.json is not what it should be"
	import json, sys
	report = json.load(open("report/results.json"))
	assert len(report["cells"]) == int(sys.argv[1])
	for cell in report["cells"]:
	    assert 0 < cell["misses"] <= 3000, cell
	    if cell["kind"] != "live":
	        assert sum(cell["window_misses"]) == cell["misses"] == 3000 - cell["hits"], cell
	END
# 3 pictures of what was simulated, and 3 for each size that was run live.
mkdir look
for width in 360 1300; do
	must "$TESTS/lib/look_at_report" "$PWD/report/report.html" "$width" 18 "$PWD/look"
done

# A cell that was cut short is run again.
cell=$(grep -l 'kind=simulated policy=lru' report/cells/* | head -n 1)
must truncate -s 100 "$cell"
must "${COMPARE[@]}" 2>again
[ "$(wc -l <again)" = 2 ] || fail "not one cell was run again"
