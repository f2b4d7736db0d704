#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A scan goes by 256 pages that are used all the time, in memory for 1024. The daemon that sees
# faults only takes them for as old as the scan's; the one that harvests sees that they are used. It
# does nothing for that where memory suffices, or where the policy does not ask. Where its agent gets
# no processor for a while, references are not seen: such a scan is run again, twice, as in
# bench_harvest.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

HOT=256
COLD=8192

# scan KIND OPTIONS...: $again is how often a hot page had to be read back.
scan() {
	local kind=$1
	shift
	daemon_start --memory 4M --prefetch 0 "$@"
	start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" "$kind" $((HOT + COLD)) \
		write 0 $((HOT + COLD)) 1 scan $HOT $COLD 1 say scanned wait
	program_says scanned out
	again=$(($(value_of faults_major stat) - COLD))
	zapped=$(value_of pages_zapped stat)
	used=$(value_of pages_found_used stat)
	say "$kind $*: $again hot pages read again, $zapped pages zapped, $used found used"
	tell_program
	program_ends "that scans"
	daemon_stop
}

# stays KIND POLICY: is what is used still there after a scan?
stays() {
	scan "$1" --access harvest:1 --policy "$2"
	[ "$again" -lt $((COLD / 16)) ]
}

for policy in lru lfu:decay=1; do
	scan anon --access faults --policy $policy
	[ "$again" -gt $((COLD / 16)) ] || fail "the scan did not push out what is used"
	[ "$zapped" = 0 ] || fail "pages were zapped for the source faults"
	for kind in anon shared; do
		stays $kind $policy || stays $kind $policy || stays $kind $policy ||
			fail "what is used was pushed out"
		[ "$used" -gt 0 ] || fail "no page was found used"
	done
done

scan anon --access harvest:4 --policy fifo
[ "$zapped" = 0 ] || fail "pages were zapped for a policy that does not ask"

daemon_start --memory 64M --access harvest:4
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" anon 8192 write 0 8192 1 \
	check 0 8192 1 say ready wait
program_says ready out
[ "$(value_of pages_zapped stat)" = 0 ] || fail "pages were zapped without need"
expect_status 0 "$CTL" status
tell_program
program_ends "that fits"
daemon_stop
