# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The daemon's memory besides the pages, as MiB of anonymous memory and page tables, while a
# program has much mapped (bench/apps/vast.c). The goal is 0.5 % of that and 16 MiB.
#
#	vast-resident  1 GiB, all of it resident, with that budget
#	vast-swapped   four times --memory, all of it written
#	vast-64T       64 TiB of anonymous memory, of which 64 MiB and twice --memory are written
#	vast-file      a sparse file of 8 TiB, and twice --memory of it written

VAST_RESIDENT_MIB=1024

group_vast() {
	vast_add vast-resident $VAST_RESIDENT_MIB
	vast_add vast-swapped $((4 * MEMORY))
	vast_add vast-64T $((64 << 20))
	vast_add vast-file $((8 << 20))
}

# vast_add NAME MIB
vast_add() {
	measurement_add "$1" vast_measure us
	case_add "$1" "$1" MiB "us <= $(awk "BEGIN { print $2 * 0.005 + 16 }")"
}

vast_said() {
	grep -q ready "$WORK/vast.out" && return
	kill -0 "$SERVER_PID" 2>/dev/null || die "vast ended too early"
	return 1
}

# vast_run NAME WORD...: what the daemon has while vast waits for the end of its input.
vast_run() {
	local name=$1 try go
	shift
	rm -f "$WORK/vast.go"
	mkfifo "$WORK/vast.go"
	exec {go}<>"$WORK/vast.go"
	system_start "$PAGERD_BUILD/bench/vast" "$@" <"$WORK/vast.go" >"$WORK/vast.out" {go}>&-
	for ((try = 0; try < 1200; try++)); do
		vast_said && break
		sleep 0.05
	done
	awk -v name="$name" '$1 == "RssAnon:" || $1 == "VmPTE:" { kib += $2 }
		END { print name, kib / 1024 }' "/proc/$DAEMON_PID/status"
	exec {go}>&-
	wait "$SERVER_PID" || die "status $? from vast $*"
	SERVER_PID=
}

vast_measure() {
	local MEMORY=$MEMORY words=()
	case $1 in
	vast-resident)
		words=(anonymous "$VAST_RESIDENT_MIB" "$VAST_RESIDENT_MIB")
		MEMORY=$((VAST_RESIDENT_MIB + 64))
		;;
	vast-swapped) words=(anonymous $((4 * MEMORY)) $((4 * MEMORY))) ;;
	vast-64T) words=(anonymous $((64 << 20)) $((64 + 2 * MEMORY))) ;;
	vast-file) words=(file $((8 << 20)) $((2 * MEMORY)) "$WORK/vast.file") ;;
	esac
	system_up "$2"
	vast_run "$1" "${words[@]}"
	rm -f "$WORK/vast.file"
}
