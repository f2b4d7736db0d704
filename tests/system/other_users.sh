#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A user sees and changes only the own clients; root sees all.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

[ "$(id -u)" = 0 ] || skip "only root can start programs as another user"
mkdir -m 755 programs
must cp "$CTL" "$PAGERD_BUILD"/client/*.so "$PROGRAMS/pages" programs
chmod -R a+rX programs
chmod 755 .
as_user() {
	local user=$1
	shift
	setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all \
		--bounding-set=-all programs/pagerctl "$@"
}
as_nobody() {
	as_user 65534 "$@"
}

# sees PID... : what standard input, the JSON of a report, names as clients.
sees() {
	"$PYTHON" -c '
import json, sys
report = json.load(sys.stdin)
found = sorted({c["pid"] for c in report["clients" if "clients" in report else "regions"]})
sys.exit(f"{found} are shown" if found != sorted(map(int, sys.argv[1:])) else 0)' "$@"
}
daemon_start --memory 8M
start_program out "$CTL" run -- "$PROGRAMS/pages" anon 1024 write 0 1024 1 say ready wait
program_says ready out
pid=$(client_value pid)
expect_status 0 as_nobody status
expect_status 0 as_nobody stat
grep -qw "$pid" out && fail "another user sees root's client"
expect_status 1 as_nobody stat "$pid"
expect_status 1 as_nobody maps "$pid"
expect_status 1 as_nobody set "$pid" memory=1M
# No different from a process that is none.
for command in "stat $pid" "maps $pid" "set $pid memory=1M"; do
	read -r -a words <<<"$command"
	expect_status 1 as_nobody "${words[@]}"
	sed "s/$pid/N/" err >theirs
	expect_status 1 as_nobody "${words[@]/#$pid/$$}"
	sed "s/$$/N/" err | cmp - theirs || fail "$command tells that $pid is a client"
done
expect_status 1 as_nobody set policy=fifo
expect_status 1 as_nobody set memory=1M

# Each sees the own ones, of each kind of report, and root all.
mkfifo own.go
as_nobody run -- programs/pages anon 1024 write 0 1024 1 say ready wait <own.go >own &
runner=$!
at_exit "end_process $runner"
exec 8>own.go
own_is_ready() {
	grep -q ready own
}
until_true "the user's own client is ready" own_is_ready
own=$("$CTL" stat --json | "$PYTHON" -c '
import json, sys
print(*(c["pid"] for c in json.load(sys.stdin)["clients"] if c["uid"] == 65534))')
for report in status stat; do
	as_nobody $report --json | sees "$own" || fail "$report of the user"
	as_user 65533 $report --json | sees || fail "$report of a user without clients"
	"$CTL" $report --json | sees "$pid" "$own" || fail "$report of root"
done
as_nobody maps "$own" --json | sees "$own" || fail "maps of the user"
expect_status 1 as_user 65533 maps "$own"
must as_nobody set "$own" memory=2M
echo >&8
wait "$runner" || fail "status $? from the user's program"
tell_program
program_ends "of root"
daemon_stop
