#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Limits and policies of the daemon, of processes and of objects: by pagerctl set, by the C API, by
# the environment, and at the start.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=4096
daemon_start --memory 32M --policy fifo

# ---- an object, while its program runs ---------------------------------------------------------
start_program out "$CTL" run --no-heap --memory 8M --policy lru -- "$PROGRAMS/pages" \
	anon $PAGES write 0 $PAGES 1 check 0 $PAGES 1 say ready wait check 0 $PAGES 1
program_says ready out
pid=$(client_value pid)
[ "$(client_value limit_pages "$pid")" = 2048 ] || fail "--memory is not the process's limit"
expect_status 0 "$CTL" status
expect_text out "8M .*lru"
object=$(value_of regions.0.object maps "$pid")
address=$("$CTL" maps "$pid" | head -n 1 | cut -d - -f 1)
resident_at_most() {
	[ "$(value_of regions.0.resident_pages maps "$pid")" -le "$1" ]
}
must "$CTL" set object="$object" memory=1M policy=lfu:decay=4
until_true "the object keeps to its limit" resident_at_most 256
expect_status 0 "$CTL" maps "$pid"
expect_text out "object|policy lfu:decay=4 limit 256$"
expect_status 0 "$CTL" status
expect_text out "^ +$object .* 1M +- lfu:decay=4$"
[ "$(value_of settings.0.limit_pages status)" = 256 ] || fail "status --json has no setting"
expect_status 0 "$CTL" stat
expect_text out "lfu:decay=4$"

# What is set, and what of that is in force with so little memory.
must "$CTL" set object="$object" unit=64K
[ "$(value_of regions.0.unit_pages maps "$pid")" = 4 ] || fail "maps --json has no unit"
expect_status 0 "$CTL" maps "$pid"
expect_text out "policy lfu:decay=4 limit 256 unit 16K$"
expect_status 0 "$CTL" status
expect_text out "^ +$object .* 1M +64K lfu:decay=4$"
[ "$(value_of settings.0.unit status)" = 64K ] || fail "status --json has no unit"
must "$CTL" set object="$object" unit=4K

# Refused by name, and nothing changed.
refused() {
	local text=$1
	shift
	expect_status 1 "$CTL" set "$@"
	expect_text err "$text"
	"$CTL" maps "$pid" | grep -q "policy lfu:decay=4 limit 256$" || fail "a refusal changed something"
}
refused best object="$object" policy=best
refused size object="$object" policy=lfu:size=4
refused "decay.*never" object="$object" policy=lfu:decay=never
refused "too long" object="$object" policy=lfu:decay=$(printf '%090d' 4)
refused memory object="$object" memory=1K
for unit in 2K 5K 2M page; do
	refused "unit: not auto" object="$object" unit=$unit
done
refused "not yours" object=999 memory=1M
refused "not yours" file="$DAEMON_LOG" memory=1M
refused "not yours" "$pid" address=1000 memory=1M
refused "one thing" "$pid" object="$object" memory=1M
for words in "object=" "file=/nowhere memory=1M" "file=/ memory=1M" "colour=red" "$pid"; do
	read -r -a words <<<"$words"
	expect_status 64 "$CTL" set "${words[@]}"
done

# By its address; back to what its client has.
must "$CTL" set "$pid" address="$address" memory=2M policy=fifo
"$CTL" maps "$pid" | grep -q "policy fifo limit 512$" || fail "the address names another object"
must "$CTL" set object="$object" default
"$CTL" maps "$pid" | grep -q policy && fail "default has left something"
must "$CTL" set "$pid" default
[ "$(client_value limit_pages "$pid")" = 0 ] || fail "the process still has a limit"
tell_program
program_ends "whose settings were changed"

# ---- a file, whoever maps it -------------------------------------------------------------------
head -c $((PAGES * 4096)) /dev/zero >data
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" file data $PAGES write 0 $PAGES 1 \
	say ready wait check 0 $PAGES 1 sync
program_says ready out
pid=$(client_value pid)
must "$CTL" set file=data memory=1M policy=lru
until_true "the file keeps to its limit" resident_at_most 256
tell_program
program_ends "whose file has a limit"

# ---- the C API ---------------------------------------------------------------------------------
start_program out "$PROGRAMS/set_api"
program_says set out
expect_status 0 "$CTL" status
expect_text out "1M +- lfu:decay=4$"
expect_text out "2M .*fifo$"
tell_program
program_ends "that uses the C API"

# ---- the environment, of the process and of a child of fork ------------------------------------
preload=$PAGERD_BUILD/client/libpagerd-preload.so
start_program out env LD_PRELOAD="$preload" PAGERD_MEMORY=2M PAGERD_POLICY=lfu PAGERD_UNIT=16K \
	"$PROGRAMS/pages" anon $PAGES write 0 $PAGES 1 check 0 $PAGES 1 say ready wait check 0 $PAGES 1
program_says ready out
[ "$(client_value limit_pages)" = 512 ] || fail "PAGERD_MEMORY is not the process's limit"
[ "$(client_value policy)" = lfu ] || fail "PAGERD_POLICY is not the process's policy"
[ "$(client_value unit)" = 16K ] || fail "PAGERD_UNIT is not the process's unit"
tell_program
program_ends "with settings in its environment"
LD_PRELOAD=$preload PAGERD_POLICY=best "$PROGRAMS/pages" anon $PAGES write 0 $PAGES 1 check 0 $PAGES 1 \
	2>err || fail "a wrong PAGERD_POLICY ends the program"
expect_text err "policy=best.*there is no policy 'best'"

# ---- at the start ------------------------------------------------------------------------------
expect_status 64 "$CTL" run --policy best -- true
expect_text err best
expect_status 64 "$CTL" run --policy lfu:decay=x -- true
expect_text err decay
expect_status 64 "$CTL" run --unit 5K -- true
expect_text err "--unit 5K: unit: not auto"
expect_status 0 "$CTL" run --policy lfu:decay=4 --memory 1M -- "$PROGRAMS/pages" anon $PAGES \
	write 0 $PAGES 1 check 0 $PAGES 1
until_true "the daemon has everything back" daemon_is_empty
daemon_stop
