#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# auto in the simulator: on each workload, and where one changes into another, it settles within 5 %
# of the best fixed policy. The counts are exact, and the same in every run.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

check() {
	"$PAGERD_BUILD/bench/auto_check" --pages 2000 --references 200000 "$@" >out 2>err ||
		{ cat out err >&2; fail "status $? from auto_check $*"; }
	cat out
}

check --sizes 10,25 --workloads "uniform,zipf,sequential,loop,zigzag,zipf-scan,moving,working-set,\
hot-cold,follows,once,chase,matrix-rows,matrix-blocks,btree,bfs,hash-join"
check --sizes 10 --workloads zipf+loop,loop+zipf,hot-cold+chase,chase+working-set,zipf-scan+moving
expect_status 64 "$PAGERD_BUILD/bench/auto_check" --visibility nothing
expect_status 64 "$PAGERD_BUILD/bench/auto_check" --pages 0
expect_status 2 "$PAGERD_BUILD/bench/auto_check" --workloads nothing
