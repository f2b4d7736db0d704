# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# 64 clients with 8 threads each at once, against one client: random reads, half of a mapped file
# and half of anonymous memory, of four times the budget in all (bench/apps/crowd.c). All have the
# same memory and the same number of accesses in all, each client its own part of both. Beside the
# pages each client has a MiB of its own more than others have.
#
#	crowd-CxT     C clients with T threads each
#	crowd-total   what 64 clients do in a second, by what one client with as many threads in all does
#	crowd-total8  by what one client with 8 threads does
#	crowd-p99     the slowest client's 99th percentile of an access by that of the median client

CROWD_SHAPES=(1x8 1x512 64x8)

group_crowd() {
	local shape
	measurement_add crowd crowd_measure "us us-threads kernel kernel-latency"
	for shape in "${CROWD_SHAPES[@]}"; do
		case_add "crowd-$shape" crowd us
	done
	case_add crowd-total crowd ratio 'us >= 0.9'
	case_add crowd-total8 crowd ratio 'us >= 0.9'
	case_add crowd-p99 crowd ratio 'us <= 3'
}

crowd_measure() {
	local shape pages=$((4 * MEMORY * 1024 * 1024 / PAGE_BYTES)) took=$WORK/crowd.took
	# shellcheck disable=SC2034 # system_up uses it
	local BESIDE_MIB=$((BESIDE_MIB + 64))
	: >"$took"
	for shape in "${CROWD_SHAPES[@]}"; do
		system_up "$2"
		system_run "$PAGERD_BUILD/bench/crowd" "${shape%x*}" "${shape#*x}" $pages \
			$((pages / 2)) "$WORK/crowd.file" >"$WORK/crowd.out"
		system_down
		sed "s/^/$shape /" "$WORK/crowd.out" >>"$took"
	done
	rm -f "$WORK/crowd.file"
	awk '$2 == "access" { print "crowd-" $1, $3 }
		{ of[$1, $2] = $3 }
		END {
			print "crowd-total", of["1x512", "access"] / of["64x8", "access"]
			print "crowd-total8", of["1x8", "access"] / of["64x8", "access"]
			print "crowd-p99", of["64x8", "slowest"] / of["64x8", "median"]
		}' "$took"
}
