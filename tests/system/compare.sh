#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bench/compare: a row for each case, a line for each measurement; a peer; bad options; wrong pages;
# nothing is left behind, also when it is told to end.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"
# shellcheck source=tests/lib/bench.sh
. "$TESTS/lib/bench.sh"

COMPARE=$TESTS/../bench/compare

refused() {
	local word=$1
	shift
	expect_status 64 "$COMPARE" "$@"
	expect_text err "$word"
}

refused "no option --wings" --wings 2
refused "no argument fast" fast
refused "--runs needs a value" --runs
refused "--runs 0" --runs 0
refused "--memory 1 is too small" --memory 1
refused "is not a directory" --dir nowhere
[ "$(stat -f -c %T /dev/shm)" != tmpfs ] || refused "in memory" --dir /dev/shm
refused "there is no flight" --cases minor,flight
refused "there is no bird" --systems us,bird
expect_status 0 "$COMPARE" --help
expect_status 0 "$COMPARE" --list
for name in resident-loop minor random-16-daemon-cpu rmw-anon fill streams-8; do
	grep -q "^$name	" out || fail "$name is not in the list of cases"
done

# What is wrong is found: in mapped memory, and by the device.
LOAD=$PAGERD_BUILD/bench/compare_load
must "$LOAD" --pages 100 --file data create
must "$LOAD" --pages 100 --file data x=update/forward y=read/once >out
expect_text out "^y [0-9.]+\$"
must "$LOAD" --pages 100 --file data create
printf x | dd of=data bs=1 seek=$((70 * 4096 + 64)) conv=notrunc status=none
for how in "--threads 3" "--depth 2"; do
	read -r -a words <<<"$how"
	expect_status 1 "$LOAD" --pages 100 --file data "${words[@]}" x=read/once
	expect_text err "WRONG DATA in page 70, word 8"
done

cgroup_find || skip "$CGROUP_WHY"
[ -w /dev/cpu_dma_latency ] || skip "no /dev/cpu_dma_latency to hold"
[ "$(id -u)" = 0 ] || skip "needs root"

cat >peer <<-'END'
	[ "$COMPARE_CASE" != fill ] || exit 77
	echo "$COMPARE_CASE $COMPARE_PAGES $COMPARE_THREADS $COMPARE_FILE" >>peer.cases
	[ "$COMPARE_CASE" != random-16 ] || exec "$PEER_UMAP" "$PWD/libumap.so"
	[ "$COMPARE_CASE" != read-back ] || exec $COMPARE_LOAD
	echo "12 accesses, 7.25"
	END
# A library that stands in for UMap's.
cat >umap.c <<-'END'
	#define _GNU_SOURCE
	#include <stdio.h>
	#include <stdlib.h>
	#include <sys/mman.h>
	static FILE *log;
	void *umap(void *start, size_t bytes, int protection, int flags, int fd, off_t offset)
	{
		log = fopen("umap.log", "a");
		fprintf(log, "%zu %s %s\n", bytes >> 12, getenv("UMAP_PAGESIZE"), getenv("UMAP_BUFSIZE"));
		return mmap(start, bytes, protection, MAP_SHARED, fd, offset);
	}
	int uunmap(void *start, size_t bytes)
	{
		fclose(log);
		return munmap(start, bytes);
	}
	END
must "${CC:-cc}" -shared -fPIC -o libumap.so umap.c
export PEER_UMAP=$TESTS/../bench/peer-umap
cases=resident-loop,minor-one-cpu,random-16,anon
must "$COMPARE" --runs 1 --memory 16 --seconds 0.2 --dir "$SWAP" --cases $cases \
	--csv compare.csv --peer "bash $TEST_DIR/peer" >out
cat out >&2
bench_left_nothing
# Exactly these were measured, each once, and took time.
"$PYTHON" - <<-'END' || fail "compare.csv is not what it should be"
	import collections, csv
	found = collections.defaultdict(set)
	for row in csv.DictReader(open("compare.csv")):
	    assert row["run"] == "1" and float(row["value"]) > 0, row
	    assert row["system"] not in found[row["case"]], row
	    found[row["case"]].add(row["system"])
	kernel = {"kernel", "kernel-latency"}
	advised = {"kernel-advised", "kernel-latency-advised"}
	device = {"device", "device-latency"}
	assert found == {
	    "resident-loop": {"us", "plain"},
	    "minor-one-cpu": {"us", "mechanism", "mechanism-latency", "peer"} | kernel,
	    "random-16": {"us", "peer"} | kernel | advised | device,
	    "random-16-daemon-cpu": {"us"},
	    "fill": {"us"} | kernel | device,
	    "read-back": {"us", "peer"} | kernel | device,
	}, found
	END
for name in resident-loop minor-one-cpu random-16 random-16-daemon-cpu fill read-back; do
	expect_text out "^$name .*(met|-)\$"
done
expect_text out "^command: bench/compare --runs 1 --memory 16 .*--cases '$cases'"
expect_text out "^minor-one-cpu .* 7.25 .*us / mechanism <= 1.15"
expect_text peer.cases "^random-16 16384 16 $SWAP/.*/data"
expect_text peer.cases "^read-back 8192 1 \$"
expect_text umap.log "^16384 4096 4096\$"

# A peer that fails, and being told to end in the middle of a run that the kernel pages.
expect_status 1 "$COMPARE" --runs 1 --memory 16 --dir "$SWAP" --cases minor --systems peer --peer false
expect_text err "status 1 from the peer in case minor"
"$COMPARE" --memory 16 --dir "$SWAP" --cases strided --systems kernel --seconds 60 2>err &
compare=$!
at_exit "end_process $compare"
it_measures() {
	grep -q "$SWAP" /proc/swaps || ! process_alive "$compare"
}
until_true "it measures" it_measures
must kill -TERM "$compare"
kill -TERM "$compare" 2>/dev/null # as timeout does
wait "$compare"
status=$?
[ "$status" = 143 ] || fail "told to end, it ended with status $status"
bench_left_nothing
