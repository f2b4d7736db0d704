#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerbench compare: lfu beats lru where pages stay popular, lru beats lfu where they do not,
# simulated and live, and the report says so with the numbers of its results.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

must "$BENCH" compare --out report --workloads zipf,moving --policies lru,lfu --data 2000 \
	--references 20000 --sizes 10% --runs 2 --dir "$SWAP" 2>err
bench_left_nothing
"$PYTHON" - <<-'END' || fail "the report does not say what the results do"
	import json, re, statistics
	cells = json.load(open("report/results.json"))["cells"]
	def misses(kind, workload, policy):
	    return [cell["misses"] for cell in cells if (cell["kind"], cell["workload"],
	            cell["policy"]) == (kind, workload, policy)]
	text = open("report/report.html").read()
	table = re.search(r'<table id="duel-table">(.*?)</table>', text, re.S).group(1)
	rows = [[re.sub("<span.*?</span>|<.*?>", "", cell).strip()
	         for cell in re.findall("<t[hd].*?</t[hd]>", row)] for row in table.split("</tr>")[1:-1]]
	print(*rows, sep="\n")
	kinds = {"simulated": "simulated", "as the daemon sees": "seen", "live": "live"}
	assert [row[:2] for row in rows] == [[workload, name] for workload in ("zipf", "moving")
	                                     for name in kinds]
	for workload, name, lru, lfu, verdict in rows:
	    both = {policy: misses(kinds[name], workload, policy) for policy in ("lru", "lfu")}
	    for policy, found in (("lru", lru), ("lfu", lfu)):
	        assert abs(float(found) - statistics.median(both[policy])) <= 1, (policy, found, both)
	    better, worse = ("lfu", "lru") if workload == "zipf" else ("lru", "lfu")
	    assert max(both[better]) < min(both[worse]), (workload, name, both)
	    assert re.fullmatch(better + r", \d+\.\d% fewer", verdict), (workload, name, verdict)
	END
