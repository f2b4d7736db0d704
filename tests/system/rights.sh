#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A daemon that root starts keeps the capabilities that it needs, three of them, and no thread of it
# has more, nor can get them.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

KEPT=0000000010080002 # CAP_SYS_PTRACE, CAP_DAC_OVERRIDE, CAP_LEASE

[ "$(id -u)" = 0 ] || skip "root only"
daemon_start --memory 8M
must "$CTL" run -- "$PROGRAMS/pages" anon 4096 write 0 4096 1 check 0 4096 1
for status in /proc/"$DAEMON_PID"/task/*/status; do
	more=$(awk -v kept="$KEPT" '
		/^Cap(Inh|Prm|Eff|Amb):/ && $2 ~ /[1-9a-f]/ && $2 != kept
		/^NoNewPrivs:/ && !$2' "$status")
	[ -z "$more" ] || fail "$status: $more"
done
daemon_stop
