#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two exercises of operating-systems courses: what private and shared views of a file show, and
# which accesses to a private mapping are which faults.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

daemon_start --memory 1M --prefetch 0
printf foo >hello.txt
expect_status 0 "$CTL" run --no-heap --min 4096 -- "$PROGRAMS/private_file" views hello.txt
expect_text out '^fix/fob/fix$'

head -c 64K /dev/zero | tr '\0' f >file
cp file file.before
start_program out "$CTL" run --no-heap --min 4096 -- "$PROGRAMS/private_file" faults file

# What has been counted since the last time.
declare -A counted=()
count() {
	local name value
	must "$CTL" stat --json >stat.json
	for name in faults_major faults_minor faults_cow faults_write pages_read; do
		value=$(client_value "$name")
		declare -g "$name=$((value - ${counted[$name]:-0}))"
		counted[$name]=$value
	done
}
program_says ready out
count
tell_program
program_says have-read out
count
[ "$faults_major/$faults_minor/$pages_read" = 1/2/1 ] ||
	fail "$faults_major major and $faults_minor minor faults, $pages_read pages read"
[ "$faults_cow/$faults_write" = 0/0 ] || fail "reading has copied"
tell_program
program_says have-written out
count
[ "$faults_cow" = 2 ] || fail "$faults_cow copy-on-write faults"
[ "$faults_major/$faults_minor/$faults_write" = 0/0/0 ] || fail "other faults, too"
tell_program
program_ends "that counts faults"
must cmp file file.before
daemon_stop
