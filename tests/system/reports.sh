#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# status, stat and maps say what is so; --json says it in JSON; set changes it.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=4096
daemon_start --memory 8M --policy fifo
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES write 0 $PAGES 1 check 0 $PAGES 1 \
	say ready wait check 0 $PAGES 1
program_says ready out
must "$CTL" stat --json >stat.json
pid=$(client_value pid)
[ "$(tr -d '\0' <"/proc/$pid/comm")" = pages ] || fail "stat does not name the program's process"

for command in status stat "stat $pid" "maps $pid"; do
	read -r -a words <<<"$command"
	expect_status 0 "$CTL" "${words[@]}"
	[ -s out ] || fail "$command says nothing"
done
for command in status stat "stat $pid" "maps $pid"; do
	read -r -a words <<<"$command"
	expect_status 0 "$CTL" "${words[@]}" --json
	must "$PYTHON" -m json.tool out json
done
expect_status 0 "$CTL" status
expect_text out fifo
expect_status 0 "$CTL" maps "$pid"
expect_text out "$(grep memfd "/proc/$pid/maps" | head -n 1 | cut -d - -f 1 | sed 's/^0*//')"

# Each line of the maps is there in the JSON, column by column.
cat >maps_compare <<'PROGRAM'
import json
import re
import sys

with open("maps.json", encoding="ascii") as file:
    regions = json.load(file)["regions"]
lines = []
for r in regions:
    if r["pid"] != int(sys.argv[1]):
        sys.exit(f"a region of another process: {r}")
    major, minor = (int(part, 16) for part in r["device"].split(":"))
    lines.append([f"{r['address']:08x}-{r['address'] + r['length_bytes']:08x}", r["permissions"],
                  f"{r['offset_bytes']:08x}", f"{major:02x}:{minor:02x}", str(r["inode"]), r["name"],
                  "resident", str(r["resident_pages"]), "dirty", str(r["dirty_pages"]),
                  "private", str(r["private_pages"]), "swapped", str(r["swap_pages"]),
                  "wired", str(r["wired_pages"])])
with open("maps.text", encoding="ascii") as file:
    text = [re.split(" +", line.strip()) for line in file]
if not lines or lines != text:
    sys.exit(f"{lines}\nis not\n{text}")
PROGRAM
"$CTL" maps "$pid" --json >maps.json || fail "maps --json"
"$CTL" maps "$pid" >maps.text || fail "maps"
must "$PYTHON" maps_compare "$pid"

# What the program did is what is counted.
at_least() {
	[ "$2" -ge "$3" ] || fail "$1 is $2, and not at least $3"
}
at_least faults_major "$(client_value faults_major "$pid")" 1
at_least pages_written "$(client_value pages_written "$pid")" $((PAGES - 2048))
at_least pages_read "$(client_value pages_read "$pid")" $((PAGES - 2048))
resident=$(client_value resident_pages "$pid")
[ "$resident" -le 2048 ] || fail "$resident pages are resident in a budget of 2048"
at_least swap_pages "$(client_value swap_pages "$pid")" $((PAGES - resident))

[ "$(value_of ghosts status)" = 0 ] || fail "fifo remembers pages that have left"
at_least policy_bytes "$(value_of policy_bytes status)" $((resident * 8))

# Who is no client, or asks for nonsense.
expect_status 1 "$CTL" maps $$
expect_status 1 "$CTL" stat $$
expect_status 1 "$CTL" set $$ memory=4M
expect_text err "$$"
expect_status 1 "$CTL" set policy=best
expect_text err best
expect_status 1 "$CTL" set policy=lfu:best=1
expect_text err 'lfu.*best'

# A limit of one client, a policy and budget of the daemon.
resident_at_most() {
	[ "$(client_value resident_pages "$pid")" -le "$1" ]
}
expect_status 1 "$CTL" set "$pid" memory=1048576G
expect_text err 'more than'
must "$CTL" set "$pid" memory=2M
until_true "the client keeps to its new limit" resident_at_most 512
must "$CTL" set memory=4M policy=lru
expect_status 0 "$CTL" status
expect_text out lru
[ "$(value_of budget_pages status)" = 1024 ] || fail "the new budget is not shown"
tell_program
program_ends "after its limit was changed"
daemon_stop

# Pages that a policy remembers beyond those that are resident, as many as fit at most.
daemon_start --memory 4M --policy arc
start_program out "$CTL" run --no-heap -- "$PROGRAMS/pages" anon $PAGES write 0 $PAGES 1 \
	check 0 1000 1 check 500 1000 1 check 0 3000 1 say ready wait
program_says ready out
ghosts=$(value_of ghosts status)
at_least ghosts "$ghosts" 1
[ "$ghosts" -le 1024 ] || fail "$ghosts ghosts in a cache of 1024 pages"
at_least policy_bytes "$(value_of policy_bytes status)" $((ghosts * 8))
tell_program
program_ends "that arc ruled"
daemon_stop
