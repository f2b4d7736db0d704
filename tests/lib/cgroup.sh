# shellcheck shell=bash
# shellcheck disable=SC2034 # those that source this use the variables
# SPDX-License-Identifier: MIT
#
# A memory cgroup for one run, version 1 or 2. The caller has CGROUP_NAME set: the first part of
# the names of the groups made here (so that a sweep finds what a killed run left).
#
#	cgroup_find || skip "$CGROUP_WHY"
#	cgroup_make $((112 << 20))       # no swap; "cgroup_make BYTES swap" allows it
#	cgroup_exec redis-server ...     # in a subshell: it replaces the shell
#	echo "$(cgroup_max) bytes at most, $(cgroup_kills) kills, $(cgroup_swap) bytes swapped"
#	cgroup_remove

CGROUP_VERSION=0
CGROUP_PARENT=
CGROUP_WHY=
CGROUP=
CGROUP_COUNT=0

# Where the version 1 memory controller is mounted, and our own group in it.
cgroup_find_v1() {
	local mount own
	mount=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
	[ -n "$mount" ] || return 1
	own=$(awk -F: '$2 ~ /(^|,)memory(,|$)/ { print $3; exit }' /proc/self/cgroup)
	[ -d "$mount$own" ] || own=
	CGROUP_VERSION=1
	CGROUP_PARENT=$mount${own%/}
}

# Version 2: a group whose children have the memory controller. Only the root may hold processes
# beside such children, so groups are made below the root of the mount.
cgroup_find_v2() {
	local mount
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$mount" ] || return 1
	grep -qw memory "$mount/cgroup.controllers" 2>/dev/null || return 1
	grep -qw memory "$mount/cgroup.subtree_control" ||
		echo +memory 2>/dev/null >"$mount/cgroup.subtree_control"
	grep -qw memory "$mount/cgroup.subtree_control" || return 1
	CGROUP_VERSION=2
	CGROUP_PARENT=$mount
}

# Choose the controller. Returns 1 and sets CGROUP_WHY if no group can be made.
cgroup_find() {
	if ! cgroup_find_v1 && ! cgroup_find_v2; then
		CGROUP_WHY="no memory cgroup controller, version 1 or 2, is mounted"
		return 1
	fi
	if ! [ -w "$CGROUP_PARENT" ]; then
		CGROUP_WHY="no permission to make a cgroup below $CGROUP_PARENT (run as root)"
		return 1
	fi
}

cgroup_set() {
	[ -e "$CGROUP/$1" ] || return 0
	echo "$2" >"$CGROUP/$1"
}

# cgroup_make BYTES [swap]: make a group with that limit; CGROUP is its directory.
cgroup_make() {
	local bytes=$1 swap=${2:-none}
	CGROUP_COUNT=$((CGROUP_COUNT + 1))
	CGROUP=$CGROUP_PARENT/$CGROUP_NAME.$BASHPID.$CGROUP_COUNT
	mkdir "$CGROUP" || return 1
	if [ "$CGROUP_VERSION" = 1 ]; then
		cgroup_set memory.limit_in_bytes "$bytes" || return 1
		[ "$swap" = swap ] && return 0
		cgroup_set memory.memsw.limit_in_bytes "$bytes"
		cgroup_set memory.swappiness 0
	else
		cgroup_set memory.max "$bytes" || return 1
		[ "$swap" = swap ] && return 0
		cgroup_set memory.swap.max 0
	fi
}

# Move the calling (sub)shell into the group.
cgroup_enter() {
	echo "$BASHPID" >"$CGROUP/cgroup.procs"
}

# Replace the calling (sub)shell by a command in the group.
cgroup_exec() {
	cgroup_enter || exit 125
	exec "$@"
}

cgroup_field() {
	awk -v key="$2" '$1 == key { print $2; found = 1 } END { if (!found) print 0 }' "$CGROUP/$1"
}

# The most that the group ever held, in bytes (0: this kernel does not say).
cgroup_max() {
	if [ "$CGROUP_VERSION" = 1 ]; then
		cat "$CGROUP/memory.max_usage_in_bytes"
	else
		cat "$CGROUP/memory.peak" 2>/dev/null || echo 0
	fi
}

# How many processes of the group the kernel killed for memory.
cgroup_kills() {
	if [ "$CGROUP_VERSION" = 1 ]; then
		cgroup_field memory.oom_control oom_kill
	else
		cgroup_field memory.events oom_kill
	fi
}

# Bytes of the group that are in the kernel's swap now.
cgroup_swap() {
	if [ "$CGROUP_VERSION" = 1 ]; then
		cgroup_field memory.stat swap
	else
		cat "$CGROUP/memory.swap.current" 2>/dev/null || echo 0
	fi
}

# Kill what is left in a group and wait, bounded, until it is gone.
cgroup_remove_dir() {
	local dir=$1 try pid
	for ((try = 0; try < 200; try++)); do
		[ -d "$dir" ] || return 0
		while read -r pid; do
			kill -KILL "$pid" 2>/dev/null
		done <"$dir/cgroup.procs"
		rmdir "$dir" 2>/dev/null && return 0
		sleep 0.05
	done
	echo "cgroup $dir cannot be removed" >&2
	return 1
}

# Remove the current group.
cgroup_remove() {
	[ -n "$CGROUP" ] || return 0
	cgroup_remove_dir "$CGROUP"
	CGROUP=
}

# Remove all groups of this CGROUP_NAME; prints the names of those that were there.
cgroup_sweep() {
	local dir
	[ -n "$CGROUP_PARENT" ] || cgroup_find || return 0
	for dir in "$CGROUP_PARENT/$CGROUP_NAME".*; do
		[ -d "$dir" ] || continue
		echo "cgroup $dir"
		cgroup_remove_dir "$dir"
	done
}
