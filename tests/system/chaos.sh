#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Short programs with every page paged, and everything that may happen happening at random: the
# results are those of plain runs. TEST_SEED repeats a run; two seeds are always the same.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

rows() {
	sqlite3 rows.db 'pragma mmap_size=10000000;' \
		'create table t(a integer primary key, b text);' \
		'with recursive n(i) as (select 1 union all select i+1 from n where i < 400)
			insert into t select i, hex(i * 7919) from n;' \
		'update t set b = b || a where a % 3 = 0;' \
		'select count(*), sum(length(b)), max(b) from t; pragma integrity_check;'
}
lines() {
	seq 2000 | sort -R --random-source=/etc/passwd | sort -n | uniq | md5sum
	for i in 1 2 3; do x=$(echo "$i" | tr 1-3 a-c); echo "$x"; done
}
structure() {
	perl -e 'my %d = map { $_ => [(1) x ($_ % 50)] } 1 .. 2000;
		print join(" ", map { "$_:" . @{$d{$_}} } sort keys %d), "\n"' | md5sum
}
export -f rows lines structure

# under SEED COMMAND...: plainly if SEED is 0.
under() {
	local seed=$1
	shift
	rm -rf rows.db scratch
	if [ "$seed" = 0 ]; then
		"$@"
	else
		"$CTL" run --chaos "$seed" -- "$@"
	fi
}
seed=${TEST_SEED:-$RANDOM}
say "TEST_SEED=$seed"
for command in "bash -c lines" "bash -c structure" "bash -c rows" "$PROGRAMS/calls scratch" \
	"$PROGRAMS/fork_arrays 2 2"; do
	read -r -a words <<<"$command"
	under 0 "${words[@]}" >plain || fail "status $? from a plain $command"
	# 20242: all that the policy holds is on its way out, and written again meanwhile.
	for chaos in 20242 "$seed"; do
		say "chaos $chaos: $command"
		under "$chaos" "${words[@]}" >chaos.out || fail "status $?: chaos $chaos, $command"
		must cmp plain chaos.out
	done
done
