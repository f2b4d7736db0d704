#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every policy, from the start and switched while the programs run, and a budget that changes.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/stress.sh
. "$TESTS/lib/stress.sh"

policy_is() {
	"$CTL" status >status.out && grep -qw "$1" status.out
}
for policy in fifo lru lfu lfu:decay=1000; do
	rm -f "$DAEMON_LOG"
	daemon_start --memory 16M --policy $policy
	policy_is ${policy%%:*} || fail "status does not name $policy"
	stress_run -m private,file -p 2 -t 2 -g $STRESS_PAGES -d zipf
	daemon_stop
done

daemon_start --memory 16M --policy fifo
STRESS_COUNT=$((STRESS_COUNT * 2))
rm -f ticks
mkfifo ticks
stress_run -m private,shared,file -p 2 -t 4 -g $STRESS_PAGES -k $((STRESS_COUNT / 8)) >ticks &
runner=$!
at_exit "end_process $runner"
changes=(policy=lru policy=lfu memory=8M policy=fifo memory=24M policy=lfu memory=4M memory=16M
	policy=lru)
count=0
# Each tick is some work of the programs done: change something, and let them go on.
while read -r _; do
	must "$CTL" set "${changes[count % ${#changes[@]}]}"
	count=$((count + 1))
done <ticks
wait "$runner" || fail "the programs failed while the policy was switched"
[ "$count" -ge 8 ] || fail "only $count changes were made under load"
daemon_stop
