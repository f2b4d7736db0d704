# shellcheck shell=bash
# shellcheck disable=SC2034 # the driver uses them
# SPDX-License-Identifier: MIT
#
# The cases of bench/compare. A group of them is a file compare_group_NAME.sh here, which defines
# group_NAME. That calls
#
#	measurement_add NAME FUNCTION "SYSTEM..."
#	case_add NAME MEASUREMENT UNIT [GOAL...]
#
# "FUNCTION MEASUREMENT SYSTEM" is called once a run for each of the systems: it prepares what it
# needs, calls system_up SYSTEM, starts programs with system_run (compare_system.sh; all is taken
# down for it), and prints a line "CASE VALUE" for each case that it measures. Small values are good
# ones. What fails calls die.
#
# A goal is "A <= NUMBER" or "A / B >= NUMBER", with / or - between systems, and >= or <=; "kernel"
# and "kernel-latency" are there the faster of as it comes and advised.

MEASUREMENTS=()
declare -A MEASUREMENT_FUNCTION MEASUREMENT_SYSTEMS MEASUREMENT_GROUP
CASE_NAMES=()
declare -A CASE_MEASUREMENT CASE_UNIT CASE_GOALS
GROUP= # whose group_NAME is being called
CASE_UNKNOWN=

measurement_add() {
	MEASUREMENTS+=("$1")
	MEASUREMENT_FUNCTION[$1]=$2
	MEASUREMENT_SYSTEMS[$1]=$3
	MEASUREMENT_GROUP[$1]=$GROUP
}

case_add() {
	local name=$1 goal
	CASE_NAMES+=("$name")
	CASE_MEASUREMENT[$name]=$2
	CASE_UNIT[$name]=$3
	shift 3
	CASE_GOALS[$name]=
	for goal; do
		CASE_GOALS[$name]+=$'\t'$goal
	done
}

# case_matches CASE PATTERN
case_matches() {
	local measurement=${CASE_MEASUREMENT[$1]}
	# shellcheck disable=SC2053 # a pattern is meant
	[[ $1 == $2 || $measurement == $2 || ${MEASUREMENT_GROUP[$measurement]} == $2 ]]
}

case_wanted() {
	local pattern
	[ -n "$CASES" ] || return 0
	for pattern in ${CASES//,/ }; do
		case_matches "$1" "$pattern" && return 0
	done
	return 1
}

measurement_wanted() {
	local name
	for name in "${CASE_NAMES[@]}"; do
		[ "${CASE_MEASUREMENT[$name]}" = "$1" ] && case_wanted "$name" && return 0
	done
	return 1
}

# cases_known LIST: is each the name of something? Else CASE_UNKNOWN says what is not.
cases_known() {
	local pattern name
	for pattern in ${1//,/ }; do
		CASE_UNKNOWN=$pattern
		for name in "${CASE_NAMES[@]}"; do
			case_matches "$name" "$pattern" && continue 2
		done
		return 1
	done
}

# Lines "CASE<tab>UNIT<tab>GOAL<tab>GOAL..." of the wanted cases.
cases_print() {
	local name
	for name in "${CASE_NAMES[@]}"; do
		case_wanted "$name" && printf '%s\t%s%s\n' "$name" "${CASE_UNIT[$name]}" \
			"${CASE_GOALS[$name]}"
	done
	return 0
}
