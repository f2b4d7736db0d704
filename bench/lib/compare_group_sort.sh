# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# GNU sort, in memory, of a file of four times the budget: lines of 1000 to 7000 characters. It
# gets a quarter of --memory, as it takes long under the kernel.

group_sort() {
	measurement_add sort sort_measure "us us-nolatency kernel kernel-latency"
	case_add sort sort s 'kernel / us >= 1.2'
}

sort_make() {
	child_run "$ROOT/tests/lib/lines" $((4 * MEMORY << 20)) >"$WORK/lines" || die "no lines"
	child_run sort -o "$WORK/sorted" "$WORK/lines" || die "no sorted lines"
	sha256sum <"$WORK/sorted" >"$WORK/lines.sum"
	rm -f "$WORK/sorted"
}

# There is no directory for temporary files: it fails if it wants one.
sort_measure() {
	local MEMORY=$((MEMORY / 4)) start end
	# shellcheck disable=SC2034 # system_up uses it
	local HEAP=()
	[ -e "$WORK/lines.sum" ] || sort_make
	file_cold "$WORK/lines"
	system_up "$2"
	start=$EPOCHREALTIME
	system_run sort -S "$((10 * MEMORY))M" --parallel=2 -T "$WORK/none" -o "$WORK/sorted" \
		"$WORK/lines"
	end=$EPOCHREALTIME
	[ "$(sha256sum <"$WORK/sorted")" = "$(cat "$WORK/lines.sum")" ] ||
		die "WRONG DATA: what sort made in $2"
	rm -f "$WORK/sorted"
	awk -v start="$start" -v end="$end" 'BEGIN { print "sort", end - start }'
}
