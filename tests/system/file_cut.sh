#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A process truncates a file that another one maps: what that finds, in its shared pages and in its
# private copies, is what it finds without the pager, be the file mapped by the first one or not.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 64M
for way in ftruncate truncate open openat creat fopen freopen; do
	for own in none shared private; do
		must rm -f data
		must "$PROGRAMS/file_cut" data $way $own "$PROGRAMS/file_cut" >plain
		must rm -f data
		must "$CTL" run --no-heap --min 4096 -- "$PROGRAMS/file_cut" data $way $own "$PROGRAMS/file_cut" >paged
		cmp plain paged >&2 || fail "$way, own mapping: $own: $(diff plain paged)"
	done
done

# By what programs use: a shell, truncate(1), python.
for command in ': >data' 'truncate -s 0 data' 'cp /dev/null data' \
	"$PYTHON -c 'open(\"data\", \"w\")'"; do
	must rm -f data
	must "$CTL" run --no-heap --min 4096 -- "$PROGRAMS/file_cut" data - - sh -c "$command" >paged
	[ "$(sed -n 2p paged)" = "private ! ! ! ! ! ! ! ! ! ! ! ! ! ! ! !" ] ||
		fail "$command: $(cat paged)"
done
daemon_must_live "after files were truncated"
daemon_stop
