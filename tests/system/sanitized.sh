#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program with the address sanitizer's library, which wants to be loaded first, is paged: what it
# maps itself, for the sanitizer's heap calls the kernel directly.
# shellcheck source=tests/lib/test.sh
. "$(dirname "$0")/../lib/test.sh"

cat >sum.c <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#define BYTES (16 << 20)
int main(void)
{
	unsigned char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long sum = 0;
	for (int i = 0; i < BYTES; i += 4096)
		memset(memory + i, i >> 12, 4096);
	for (int i = 0; i < BYTES; i++)
		sum += memory[i];
	printf("%lu\n", sum);
	return 0;
}
END
gcc -fsanitize=address -o sum sum.c || skip "no address sanitizer here"
must ./sum >plain
expect_status 0 "$CTL" run --memory 4M --swap "$SWAP" --verbose -- ./sum
must cmp plain out
expect_text err "Pages out: [1-9]"
