#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stress-ng's stressors of mappings, memory and processes verify what they do, in a quarter of
# their memory.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=8
# Not mlock: it locks pages of its own, one mapping for each, until the kernel kills it.
STRESSORS="mmap mmapaddr mmapfixed mremap msync madvise mincore munmap mprotect remap
	fault malloc stackmmap vm vm-addr vm-rw vm-segv fork vfork zombie sigsegv zlib"

command -v stress-ng >/dev/null || skip "no stress-ng"
{
	# malloc-max: 65536 blocks, reserved and hardly touched, would be page tables more than anything.
	printf '%s\n' "run sequential" verify "timeout 1" metrics-brief mmap-file "malloc-max 512"
	printf '%s-bytes %sM\n' mmap $((4 * BUDGET)) mremap $BUDGET msync $((4 * BUDGET)) \
		vm $((4 * BUDGET)) vm-rw $BUDGET malloc $((4 * BUDGET))
	for name in $STRESSORS; do echo "$name 1"; done
} >job
paged $BUDGET stress-ng --job job --temp-path "$TEST_DIR" --stdout >out 2>err
status=$?
cat out err >&2
[ "$status" = 0 ] || fail "status $status"
memory_kept_to
for name in $STRESSORS; do
	grep -Eq "metrc.* $name +[0-9]" out || fail "$name did not run"
done
