# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Several tests at a time, each with a directory and cgroups of its own. For tests/run, which has
# variants and results.
#
#	pool_run NAME...
#	pool_end         # those that run, if any; nothing is left of them

# More than there are processors: many wait for the disk most of the time.
AT_ONCE=$(($(nproc) + 2))
# What takes longest is begun first: it would run alone at the end.
LONGEST=(unit/test_update unit/test_share unit/test_pager system/stress_ng unit/test_board
	system/chaos system/python stress/policies stress/shared)
# Not two of these at once, as the kernel's swap is the machine's.
KERNEL_SWAP=(system/bench_compare system/bench_live system/compare)

CGROUP_NAMES=pagerd-test-$$ # -SLOT, a test's
declare -A SLOTS=()         # of the tests that run, by their supervisors: SLOT START NAME
WAITING=()

# ---- one test --------------------------------------------------------------------------------

# sweep DIR CGROUP-NAME: undo, and name, what a test left: mounts, swap, loop devices, cgroups.
sweep() {
	local path
	awk -v work="$1/" 'index($1, work) == 1 { print $1 }' /proc/swaps | while read -r path; do
		echo "LEFT BEHIND: swap $path"
		swapoff "$path"
	done
	awk -v work="$1/" 'index($2, work) == 1 { print $2 }' /proc/mounts | tac |
		while read -r path; do
			echo "LEFT BEHIND: mount $path"
			umount "$path"
		done
	losetup -n -l -O NAME,BACK-FILE 2>/dev/null | awk -v work="$1/" \
		'index($2, work) == 1 { print $1 }' | while read -r path; do
		echo "LEFT BEHIND: loop device $path"
		losetup -d "$path"
	done
	CGROUP_NAME=$2 cgroup_sweep | sed 's/^/LEFT BEHIND: /'
}

script_of() {
	local file
	for file in "tests/$1.sh" "tests/$1.py"; do
		[ -e "$file" ] && echo "$file"
	done
}

# test_command GROUP/TEST PROGRAM: one word a line.
test_command() {
	local script
	case $1 in
	unit/*) echo "$2" ;;
	*)
		script=$(script_of "$1")
		[[ $script == *.py ]] && echo python3 || echo bash
		echo "$script"
		;;
	esac
}

# test_begin NAME SLOT: what it has for itself is named after the slot; test_end ends it.
test_begin() {
	local name=$1 slot=$2 base=${1//\//-} variant test seconds=$TEST_SECONDS command
	variant=$(variant_of "$name")
	test=${name#"$variant"/}
	mapfile -t command < <(test_command "$test" "${UNIT_PROGRAMS[$name]:-}")
	[[ $test == */long_* ]] && seconds=$LONG_SECONDS
	mkdir "$WORK/$slot" || exit 1
	chmod 755 "$WORK/$slot"
	: >"$LOGS/$base.log"
	(
		export VARIANT=$variant TEST_DIR=$WORK/$slot CGROUP_NAME=$CGROUP_NAMES-$slot
		export CK_TAP_LOG_FILE_NAME=$WORK/$base.tap
		variant_environment "$variant"
		exec tests/lib/supervise "$seconds" "$LOGS/$base.log" "${command[@]}"
	) &
	SLOTS[$!]="$slot $SECONDS $name"
}

# The next of them to end.
test_end() {
	local process status slot start name log
	wait -n -p process "${!SLOTS[@]}"
	status=$?
	# The shell has forgotten one that a signal killed.
	[ -n "${process:-}" ] || read -r process _ <<<"${!SLOTS[*]}"
	read -r slot start name <<<"${SLOTS[$process]}"
	log=$LOGS/${name//\//-}.log
	sweep "$WORK/$slot" "$CGROUP_NAMES-$slot" >"$WORK/left" 2>&1
	if [ -s "$WORK/left" ]; then
		cat "$WORK/left" >>"$log"
		case $status in 0 | 77) status=123 ;; esac
	fi
	# What daemons that were killed have left in memory (daemon/filter.h).
	find "$WORK/$slot" -name '*.files' -lname '/dev/shm/pagerd-*' -printf '%l\0' | xargs -0 -r rm -f
	rm -rf --one-file-system "${WORK:?}/$slot"
	unset "SLOTS[$process]"
	case $name in
	unit/* | */unit/*) unit_result "$name" "$status" "$log" "$WORK/${name//\//-}.tap" ;;
	*) result "$name" "$status" "$log" $((SECONDS - start)) ;;
	esac
}

# Count the lines of a TAP file: "ok 1 - file:case:test: Passed", "not ok ...".
count_tap() {
	local name=$1 line
	while read -r line; do
		line=${line#* - }
		line=${line#*:}
		line=${line%%: *}
		passed "$name/${line//:/\/}"
	done < <(grep '^ok ' "$2")
	while read -r line; do
		failed "$name" "${line#*- }"
	done < <(grep '^not ok ' "$2")
}

# unit_result NAME STATUS LOG TAP: each check of a program of Check tests is one test.
unit_result() {
	local name=$1 status=$2 before=$FAILED
	if ! [ -s "$4" ]; then
		failed "$name" "status $status and no result of any check"
		show_log "$3"
		return
	fi
	count_tap "$name" "$4"
	[ "$status" = 0 ] || [ "$FAILED" -gt "$before" ] ||
		failed "$name" "status $status, though no check failed"
	[ "$FAILED" = "$before" ] || show_log "$3"
}

# ---- which -----------------------------------------------------------------------------------

# is_one_of NAME GROUP/TEST...: in whatever variant.
is_one_of() {
	local name=$1 test
	shift
	for test; do
		[[ $name == "$test" || $name == */"$test" ]] && return 0
	done
	return 1
}

# may_begin NAME: beside those that run?
may_begin() {
	local other
	is_one_of "$1" "${KERNEL_SWAP[@]}" || return 0
	for other in "${SLOTS[@]}"; do
		is_one_of "${other##* }" "${KERNEL_SWAP[@]}" && return 1
	done
	return 0
}

# The first number that no test has as its slot.
free_slot() {
	local slot=0
	while [ -e "$WORK/$slot" ]; do
		slot=$((slot + 1))
	done
	echo "$slot"
}

# The names on standard input, those first that take longest.
longest_first() {
	local name test names
	mapfile -t names
	for test in "${LONGEST[@]}"; do
		for name in "${names[@]}"; do
			is_one_of "$name" "$test" && echo "$name"
		done
	done
	for name in "${names[@]}"; do
		is_one_of "$name" "${LONGEST[@]}" || echo "$name"
	done
}

# ---- all of them -----------------------------------------------------------------------------

# begin_some: of those in WAITING, as many as may begin now.
begin_some() {
	local i name
	for i in "${!WAITING[@]}"; do
		[ ${#SLOTS[@]} -lt "$AT_ONCE" ] || return
		name=${WAITING[i]}
		may_begin "$name" || continue
		unset "WAITING[i]"
		if [[ /$name == */unit/* ]] && [ -z "${UNIT_PROGRAMS[$name]:-}" ]; then
			failed "$name" "tests/meson.build does not build it"
		else
			test_begin "$name" "$(free_slot)"
		fi
	done
}

# pool_run NAME...: all of them.
pool_run() {
	mapfile -t WAITING < <(printf '%s\n' "$@" | longest_first)
	while [ ${#WAITING[@]} -gt 0 ] || [ ${#SLOTS[@]} -gt 0 ]; do
		begin_some
		[ ${#SLOTS[@]} = 0 ] || test_end
	done
}

pool_end() {
	local process slot
	for process in "${!SLOTS[@]}"; do
		kill -TERM "$process" 2>/dev/null
	done
	wait
	for slot in "${SLOTS[@]%% *}"; do
		sweep "$WORK/$slot" "$CGROUP_NAMES-$slot"
	done
}
