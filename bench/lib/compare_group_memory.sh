# shellcheck shell=bash
# shellcheck disable=SC2034 # the driver uses them
# SPDX-License-Identifier: MIT
#
# Accesses to memory, page by page: bench/load does them. BUDGET is the memory in pages.

BUDGET=0
MEMORY_KERNEL="us us-nolatency us-threads kernel kernel-latency device device-latency peer"
MEMORY_FILE="us us-nolatency us-threads kernel kernel-advised kernel-latency kernel-latency-advised"
MEMORY_FILE+=" device device-latency peer"
MEMORY_MINOR="us us-nolatency us-threads kernel kernel-latency mechanism mechanism-latency peer"

group_memory() {
	BUDGET=$((MEMORY * 1024 * 1024 / PAGE_BYTES))
	memory_add resident-loop "us plain" 'plain / us >= 0.98'
	memory_add resident-random "us plain" 'plain / us >= 0.98'
	memory_add first-touch "us us-nolatency us-threads kernel kernel-latency peer" 'kernel / us >= 1.0'
	memory_add minor "$MEMORY_MINOR" 'us / mechanism-latency <= 1.15'
	memory_add minor-one-cpu "$MEMORY_MINOR" 'us / mechanism <= 1.15'
	memory_add random-1 "$MEMORY_FILE" 'us - device <= 8'
	case_add random-1-daemon-cpu random-1 cpu 'us <= 6'
	memory_add random-16 "$MEMORY_FILE" 'device / us >= 0.9' 'kernel / us >= 1.05'
	case_add random-16-daemon-cpu random-16 cpu 'us <= 6'
	memory_add rmw-file "$MEMORY_FILE" 'kernel / us >= 1.2'
	memory_add rmw-anon "$MEMORY_KERNEL" 'kernel / us >= 1.2'
	memory_add overwrite "$MEMORY_FILE" 'kernel / us >= 1.0'
	measurement_add anon memory_measure "$MEMORY_KERNEL"
	case_add fill anon us 'kernel / us >= 1.3'
	case_add read-back anon us 'device / us >= 0.8'
	memory_add random-anon "$MEMORY_KERNEL" 'kernel / us >= 1.0'
	memory_add divided-16 "$MEMORY_KERNEL" 'kernel / us >= 1.0'
	memory_add sequential "$MEMORY_FILE" 'kernel / us >= 1.0' 'device / us >= 0.85'
	memory_add strided "$MEMORY_FILE" 'kernel / us >= 1.5'
	memory_add backward "$MEMORY_FILE" 'kernel / us >= 1.5'
	memory_add streams-2 "$MEMORY_FILE" 'kernel / us >= 1.5'
	memory_add streams-8 "$MEMORY_FILE" 'kernel / us >= 1.5'
	memory_add blocks-16K "$MEMORY_FILE" 'kernel / us >= 1.0'
	memory_add blocks-64K "$MEMORY_FILE" 'kernel / us >= 1.0'
	case_add sequential-daemon-memory sequential MiB \
		"us <= $(awk -v mib="$MEMORY" 'BEGIN { print 4 * mib * 0.005 + 16 }')"
}

# memory_add NAME SYSTEMS GOAL...: a measurement of one case.
memory_add() {
	local name=$1
	measurement_add "$name" memory_measure "$2"
	shift 2
	case_add "$name" "$name" us "$@"
}

# What a case does: pages of data, in a file or not, the advice that suits it, threads, mappings,
# what is set aside to be read first, so that memory is full; the steps (bench/load/main.c). The
# device does what has an order with DEPTH requests of UNIT pages.
memory_describe() {
	local name=$1
	KIND=file DATA=$((4 * BUDGET)) ADVICE=random THREADS=1 PARTS=1 WARM=0 DEPTH=4 UNIT=512 PIN=()
	LIMIT=$SECONDS_MOST
	case $name in
	resident-*)
		KIND=anon DATA=$((BUDGET / 2)) LIMIT=0
		STEPS=(write/forward)
		;;&
	resident-loop) STEPS+=(read/forward "$name=read/forward/$((DATA * 200))") ;;
	resident-random) STEPS+=(read/once "$name=read/once/$((DATA * 50))") ;;
	first-touch)
		KIND=anon DATA=$((BUDGET * 3 / 4))
		STEPS=("$name=write/forward" read/forward)
		;;
	minor*)
		KIND=anon
		STEPS=("$name=write/once/$((BUDGET / 2))" "read/once/$((BUDGET / 2))")
		[ "$name" = minor ] || PIN=(taskset -c 0)
		;;
	random-1)
		WARM=$BUDGET DEPTH=1 UNIT=1
		STEPS=(read/warm "$name=read/once/$((BUDGET / 4))")
		;;
	random-16)
		WARM=$BUDGET THREADS=16 DEPTH=16 UNIT=1
		STEPS=(read/warm "$name=read/once/$((BUDGET * 5 / 4))")
		;;
	rmw-*)
		THREADS=8 DEPTH=8 UNIT=1
		;;&
	rmw-file) STEPS=(read/forward "$name=update+sync/random/$BUDGET" read/forward) ;;
	rmw-anon)
		KIND=anon
		STEPS=(write/forward "$name=update/random/$BUDGET" read/forward)
		;;
	overwrite)
		ADVICE=sequential
		STEPS=("$name=write/forward" read/forward)
		;;
	anon)
		KIND=anon DATA=$((2 * BUDGET))
		STEPS=(fill=write/forward read-back=read/forward)
		;;
	random-anon)
		KIND=anon DATA=$((2 * BUDGET)) DEPTH=1 UNIT=1
		STEPS=(write/forward "$name=read/random/$((BUDGET / 2))" read/forward)
		;;
	divided-16)
		KIND=anon DATA=$((2 * BUDGET)) THREADS=16 PARTS=16 DEPTH=16 UNIT=1
		STEPS=(write/forward "$name=read/random/$((2 * BUDGET))" read/forward)
		;;
	sequential)
		ADVICE=sequential
		STEPS=("$name=read/forward")
		;;
	strided)
		DEPTH=32 UNIT=1
		STEPS=("$name=read/stride:8")
		;;
	backward) STEPS=("$name=read/backward") ;;
	streams-*)
		ADVICE=sequential
		STEPS=("$name=read/streams:${name#streams-}")
		;;
	blocks-*)
		WARM=$BUDGET DEPTH=1 UNIT=${name#blocks-}
		UNIT=$((${UNIT%K} / 4))
		STEPS=(read/warm "$name=read/blocks:$UNIT/$((2 * BUDGET))")
		;;
	esac
}

# memory_file NAME: the file that it uses, cold; anew for what changes it.
memory_file() {
	FILE=$WORK/data
	case $1 in
	rmw-* | overwrite | anon)
		FILE=$WORK/changed
		file_create "$FILE" "$DATA"
		;;
	*) [ -e "$FILE" ] || file_create "$FILE" $((4 * BUDGET)) ;;
	esac
	file_cold "$FILE"
}

# The named steps alone: the device needs no preparation, and has blocks as its units.
memory_named_steps() {
	local step
	for step in "${STEPS[@]}"; do
		step=${step/blocks:$UNIT/once}
		[[ $step != *=* ]] || echo "$step"
	done
}

# memory_words SYSTEM: WORDS, the load's options for it.
memory_words() {
	WORDS=("$LOAD" --pages "$DATA" --warm "$WARM" --seconds "$LIMIT")
	[ -z "$FILE" ] || WORDS+=(--file "$FILE")
	case $1 in
	us*) WORDS+=(--daemon "$DAEMON_PID") ;;
	mechanism*) WORDS+=(--mechanism) ;;
	*-advised) WORDS+=(--advice "$ADVICE") ;;
	esac
	case $1 in
	device*) WORDS+=(--depth "$DEPTH" --unit "$UNIT") ;;
	*) WORDS+=(--threads "$THREADS" --parts "$PARTS") ;;
	esac
}

memory_measure() {
	local name=$1 system=$2 step
	memory_describe "$name"
	FILE=
	if [ "$KIND" = file ] || [[ $system == device* ]]; then
		memory_file "$name"
	fi
	system_up "$system"
	memory_words "$system"
	case $system in
	device*) mapfile -t STEPS < <(memory_named_steps) ;;
	peer)
		for step in "${!STEPS[@]}"; do
			[[ ${STEPS[step]} != *=* ]] || memory_peer "$step"
		done
		return
		;;
	esac
	system_run "${WORDS[@]}" "${STEPS[@]}"
}

# memory_accesses STEP: how many it makes.
memory_accesses() {
	case $1 in
	*/*/*) echo "${1##*/}" ;;
	*stride:*) echo $((DATA / ${1##*:})) ;;
	*) echo "$DATA" ;;
	esac
}

# memory_peer INDEX: of a step that has a name.
memory_peer() {
	local status number step=${STEPS[$1]}
	local -x COMPARE_CASE=${step%%=*} COMPARE_FILE=$FILE COMPARE_PAGES=$DATA COMPARE_THREADS=$THREADS
	local -x COMPARE_MEMORY_BYTES=$((MEMORY << 20)) COMPARE_ACCESSES PAGERD_BUILD=$PAGERD_BUILD
	local -x COMPARE_LOAD="${WORDS[*]} ${STEPS[*]:0:$1+1}"
	COMPARE_ACCESSES=$(memory_accesses "$step")
	system_try bash -c "$PEER" >"$WORK/peer"
	status=$?
	[ "$status" != 77 ] || return 0
	[ "$status" = 0 ] || die "status $status from the peer in case $COMPARE_CASE"
	number=$(grep -Eo '[0-9]+([.][0-9]+)?' "$WORK/peer" | tail -n 1)
	[ -n "$number" ] || die "no number from the peer in case $COMPARE_CASE"
	echo "$COMPARE_CASE $number"
}
