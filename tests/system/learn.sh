#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pagerctl run --learn records exactly the pages that a program touches, whatever is read ahead;
# --prefetch brings them in before they are asked for; what is wrong with FILE is said at once.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

PAGES=4096
cat >touch <<'PROGRAM'
"""touch FILE KIND [wait]: touch every page of a set of its own, in an order of its own."""
import mmap
import os
import random
import sys

descriptor = os.open(sys.argv[1], os.O_RDWR)
pages = os.fstat(descriptor).st_size // 4096
kinds = {"shared": mmap.MAP_SHARED, "private": mmap.MAP_PRIVATE}
memory = mmap.mmap(descriptor, 0, flags=kinds[sys.argv[2]])
random.seed(1)
chosen = sorted(random.sample(range(pages), pages // 4))
runs = []
for page in chosen:
    if runs and sum(runs[-1]) == page:
        runs[-1][1] += 1
    else:
        runs.append([page, 1])
with open("expected", "w", encoding="ascii") as file:
    file.writelines(f"{page} {count}\n" for page, count in runs)
if "wait" in sys.argv:
    print("mapped", flush=True)
    sys.stdin.readline()
random.seed()
random.shuffle(chosen)
total = 0
for page in chosen:
    total += (page + 1) * memory[page * 4096 + 99]
    if sys.argv[2] == "private" and page % 5 == 0:
        memory[page * 4096] = 1
print("total", total, flush=True)
PROGRAM
head -c $((PAGES * 4096)) /dev/urandom >data
"$PYTHON" touch data shared >plain

# The pages of the file data, as recorded in the file $1.
recorded() {
	awk -v path="$PWD/data" '/^(file|end)/ { own = $4 == path; next } own' "$1"
}

# learns FILE KIND [OPTIONS...]
learns() {
	local file=$1 kind=$2
	shift 2
	must "$CTL" run "$@" --no-heap --learn "$file" -- "$PYTHON" touch data "$kind" >out
	cmp out plain || fail "the result is another under --learn"
	recorded "$file" | cmp - expected || fail "--learn $* has recorded other pages of a $kind mapping"
}
for kind in shared private; do
	learns "$kind.set" $kind --memory 64M --swap "$SWAP"
	learns small.set $kind --memory 2M --swap "$SWAP"
done

# prefetches FILE KIND: what was learned is there before it is touched, and nothing else.
prefetched() {
	[ "$(client_value pages_prefetched)" -ge $((PAGES / 4)) ] &&
		[ "$(client_value resident_pages)" -ge $((PAGES / 4)) ]
}
prefetches() {
	must "$TESTS/lib/uncache" data
	start_program out "$CTL" run --no-heap --prefetch "$1" -- "$PYTHON" touch data "$2" wait
	program_says mapped out
	until_true "the learned pages are there" prefetched
	pid=$(client_value pid)
	before=$(client_value faults_major)
	tell_program
	program_ends "with --prefetch"
	grep -q "$(cat plain)" out || fail "the result is another with --prefetch"
}
daemon_start --memory 64M --prefetch 0
for kind in shared private; do
	prefetches "$kind.set" $kind
done

# In the statistics: no major fault for a page of the file. (The reading of other files may.)
must "$CTL" run --no-heap --memory 32M --learn again.set --prefetch shared.set -- \
	"$PYTHON" touch data shared >out
cmp out plain || fail "the result is another with both"
recorded again.set | cmp - expected || fail "--prefetch changes what --learn records"
daemon_stop
must "$TESTS/lib/uncache" data
mkfifo go
(sleep 2; echo) >go &
"$CTL" run --no-heap --memory 64M --swap "$SWAP" --verbose --prefetch shared.set -- \
	"$PYTHON" touch data shared wait <go >out 2>err || fail "status $? with --prefetch"
major=$(sed -n 's/.*Major .*: //p' err)
[ "$major" -le 20 ] || fail "$major pages had to be waited for with --prefetch"

# A file that has changed since is read as it is.
cp data other
printf x | dd of=data bs=1 seek=5000 conv=notrunc status=none
"$PYTHON" touch data shared >plain
must "$CTL" run --no-heap --memory 64M --swap "$SWAP" --prefetch shared.set -- "$PYTHON" touch data shared >out
cmp out plain || fail "a changed file's old contents are shown"
rm data
must "$CTL" run --no-heap --memory 64M --swap "$SWAP" --prefetch shared.set -- true

# ---- what is wrong with FILE ---------------------------------------------------------------------
# damaged PLACE-AND-REASON FILE: it is said, and the command is not started.
damaged() {
	expect_status 125 "$CTL" run --memory 8M --swap "$SWAP" --prefetch "$2" -- touch started
	expect_text err "^pagerctl: $2:$1"
	[ ! -e started ] || fail "the command was started"
}
lines=$(wc -l <shared.set)
damaged " No such file" missing
: >empty
damaged "1: .*too early" empty
head -n $((lines - 1)) shared.set >cut
damaged "$lines: .*too early" cut
head -c -3 shared.set >cut
damaged "$lines: .*too early" cut
sed "3s/^./9/" shared.set >changed
damaged "[0-9]+: (the sum|pages out of order)" changed
sed "5s/.*/12 x/" shared.set >changed
damaged "5: not a page" changed
sed "2s/^file/pile/" shared.set >changed
damaged "2: not a page" changed
sed "1s/1/2/" shared.set >changed
damaged "1: .*version" changed
printf 'something\nelse\n' >changed
damaged "1: not a file that" changed
{ cat shared.set; echo more; } >changed
damaged "$((lines + 1)): something follows" changed
printf 'pagerd-learned 1\nfile 1 1 a\n' >changed
damaged "2: not an absolute path" changed
printf 'pagerd-learned 1\nfile 1 1 /a\0b\n' >changed
damaged "2: has a zero byte" changed
expect_status 125 "$CTL" run --memory 8M --swap "$SWAP" --learn /nowhere/file -- touch started
expect_text err "^pagerctl: /nowhere/file: "
[ ! -e started ] || fail "the command was started"
expect_status 64 "$CTL" run --learn
expect_status 7 "$CTL" run --memory 8M --swap "$SWAP" --learn status.set -- sh -c 'exit 7'
expect_status 0 "$CTL" run --memory 8M --swap "$SWAP" --prefetch status.set -- true
