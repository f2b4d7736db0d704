#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The limits of a command are not those of its private daemon, which says so where they have to be.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

LIMIT=1099511627776
NAMES=('Max cpu time' 'Max file size' 'Max address space' 'Max data size')

# limits SETTING: what sets those, as words.
limits() {
	LIMITS=(prlimit --cpu="$1" --fsize="$1" --as="$1" --data="$1")
}

# has PID LIMITS: soft and hard.
has() {
	local name
	for name in "${NAMES[@]}"; do
		awk -v name="$name" -v limits="$2" 'sub("^" name " *", "") {
			exit $1 " " $2 != limits
		}' "/proc/$1/limits" || fail "$(cat "/proc/$1/comm") has not $2: $name"
	done
}

# daemon_has_none SETTING COMMAND...: of a command that is started so.
daemon_has_none() {
	limits "$1"
	start_program out "${LIMITS[@]}" "${@:2}" "$CTL" run --memory 8M --swap "$SWAP" -- \
		"$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1 say ready wait
	program_says ready out
	has "$(pgrep -x pagerd -P "$PROGRAM")" "unlimited unlimited"
	has "$(pgrep -x pages -P "$PROGRAM")" "$LIMIT ${1#*:}"
	tell_program
	program_ends "with limits of $1"
}

WITHOUT=(env)
[ "$(id -u)" != 0 ] || WITHOUT=(setpriv --bounding-set=-sys_resource)
daemon_has_none "$LIMIT:unlimited" "${WITHOUT[@]}"
prlimit --cpu=$LIMIT prlimit --cpu=unlimited true 2>/dev/null &&
	daemon_has_none "$LIMIT:$LIMIT" env
limits "$LIMIT:$LIMIT"
expect_status 0 "${LIMITS[@]}" "${WITHOUT[@]}" "$CTL" run --memory 8M --swap "$SWAP" -- true
for word in 'processor time' 'size of files' addresses data; do
	expect_text err "limit of .*$word"
done
