#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two processes use one LMDB environment of four times the budget, written with write(2) and
# through the mapping: the reader sees whole transactions, and the contents are those of a plain
# run. The lock file is mapped, with mutexes of both processes in it.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=4
COUNT=12000 # accounts of 1 KiB, four to a page of 4 KiB
ROUNDS=24

[ -x "$PROGRAMS/lmdb_accounts" ] || skip "built without LMDB"
command -v mdb_dump >/dev/null || skip "no mdb_dump"

for mode in "" writemap; do
	mkdir plain paged.env
	# shellcheck disable=SC2086 # no mode is no word
	must "$PROGRAMS/lmdb_accounts" plain $COUNT $ROUNDS $mode
	[ "$(stat -c %b plain/data.mdb)" -ge $((4 * BUDGET * MIB / 512)) ] || fail "it is too small"
	# shellcheck disable=SC2086
	paged $BUDGET "$PROGRAMS/lmdb_accounts" paged.env $COUNT $ROUNDS $mode ||
		fail "status $? under the pager, $mode"
	memory_kept_to
	for environment in plain paged.env; do
		must mdb_dump "$environment" | grep -v ^mapsize= >$environment.text
		must mdb_stat -e "$environment" >/dev/null
	done
	must cmp plain.text paged.env.text
	rm -r plain paged.env
done
