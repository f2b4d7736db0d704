#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A parallel make of a part of pagerd's own core, by a compiler that is paged, in a quarter of the
# memory that it takes: the objects are those of a plain make, and so is the archive.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

BUDGET=24 # three compilers of 40 MiB each
JOBS=3

must cp -r "$TESTS/../src" "$TESTS/../include" .
cat >Makefile <<'MAKEFILE'
SOURCES := $(wildcard ../src/[p-z]*.c ../src/policy/[l-z]*.c)
OBJECTS := $(notdir $(SOURCES:.c=.o))
vpath %.c ../src ../src/policy
libcore.a: $(OBJECTS)
	$(AR) rcD $@ $^
%.o: %.c
	$(CC) -std=gnu17 -O1 -w -D_GNU_SOURCE -I../include -I../src -c -o $@ $<
MAKEFILE
mkdir plain paged.dir
must make -s -C plain -f ../Makefile -j $JOBS
paged $BUDGET make -s -C paged.dir -f ../Makefile -j $JOBS || fail "status $? under the pager"
memory_kept_to
must diff -r plain paged.dir
