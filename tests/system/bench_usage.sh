#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What pagerbench says to bad input, and that nothing comes of it.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

refused() {
	local word=$1
	shift
	expect_status 64 "$BENCH" "$@"
	expect_text err "$word"
}

refused "no command"
refused "command 'fly'" fly
refused "'--wings' is no option" live --wings 2
refused "no workload 'zip'" trace --workload zip --pages 10 -o t
refused "no parameter 'tetha'" trace --workload zipf:tetha=1 --pages 10 -o t
refused "theta.*-1" trace --workload zipf:theta=-1 --pages 10 -o t
refused "'0' is no size" trace --workload zipf --pages 0 -o t
refused "references.*'0'" trace --workload zipf --pages 10 --references 0 -o t
refused "format.*'xml'" trace --workload zipf --pages 10 --format xml -o t
refused "a name is empty" trace --workload zipf, --pages 10 -o t
refused "needs a value" trace --workload
refused "no workload ''" trace --workload zipf+ --pages 10 -o t
refused "needs --workload" live --memory 1M
refused "needs --memory" live --workload zipf
refused "no policy 'lur'" live --workload zipf --policy lru,lur --memory 1M
refused "no parameter 'x'" live --workload zipf --policy lfu:x=1 --memory 1M
refused "'0' is no size" live --workload zipf --memory 0
refused "'0M' is no size" live --workload zipf --memory 0M
refused "less than a page" live --workload zipf --memory 1% --data 50
refused "one of them" live --workload zipf --memory 1M --file --anonymous
refused "'99'" live --workload zipf --memory 1M --threads 99
refused "runs.*'0'" live --workload zipf --memory 1M --runs 0
refused "too small" live --workload zipf --policy lru --memory 10 --data 100 --dir "$SWAP"
refused "needs --out" compare --workloads zipf
refused "no policy 'lur'" compare --out r --policies lur
refused "no workload 'zip'" compare --out r --workloads zipf,zip
refused "beyond the 100 pages" compare --out r --data 100 --sizes 101
refused "'0%' is no size" compare --out r --sizes 0%
refused "knows no 'guess'" compare --out r --access guess
refused "101" check --workload zipf --sizes 100 --data 200 --tolerance 101
for path in t t.partial r; do
	[ ! -e $path ] || fail "$path came of it"
done

expect_status 1 "$BENCH" trace --workload zipf --pages 10 -o nowhere/t
expect_text err "nowhere/t: No such file"
expect_status 1 "$BENCH" trace --workload zipf --pages 10 -o /dev/full
expect_text err "No space"
expect_status 1 "$BENCH" live --workload zipf --memory 1M --runs 1 --file --dir nowhere
expect_text err "nowhere"

touch file
for folder in nowhere/r file; do
	expect_status 1 "$BENCH" compare --out "$folder" --workloads zipf --data 100 --references 100
	expect_text err "$folder"
done
if grep -q "^ *min " <("${DAEMON_COMMAND[@]}" --help); then
	refused "knows the future" live --workload zipf --policy min --memory 1M
fi

expect_status 0 "$BENCH" --help
expect_status 0 "$BENCH" list
for name in uniform zipf sequential loop zigzag zipf-scan moving working-set hot-cold follows \
	once chase matrix-rows matrix-blocks btree bfs hash-join; do
	grep -q "^$name " out || fail "list does not name $name"
done
must "$BENCH" trace --workload zipf:theta=1+loop --pages 100 --references 1000 -o t
must "$BENCH" trace --workload zipf:theta=1+loop --pages 100 --references 1000 --format text -o t.txt
[ "$(wc -l <t.txt)" = 1000 ] || fail "not 1000 references"
for trace in t t.txt; do
	must "$PAGERD_BUILD/bench/pagersim" --policy fifo --size 10 --csv - "$trace" |
		"$PYTHON" -c 'import csv, sys; print(next(csv.DictReader(sys.stdin))["misses"])' >"$trace.misses"
done
must cmp t.misses t.txt.misses

# Told to end, it leaves nothing that could be taken for a trace.
"$BENCH" trace --workload zipf --pages 1000 --references 30000000 --format text -o broken 2>err &
bench=$!
at_exit "end_process $bench"
sleep 0.5
kill -TERM "$bench"
wait "$bench"
status=$?
[ "$status" != 0 ] || fail "a trace that was broken off is whole"
compgen -G 'broken*' >/dev/null && fail "a part of a trace was left"
true
