#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs with a sanitizer's library, which wants to be loaded first, are paged: what they map
# themselves, for the sanitizer's heap calls the kernel directly.
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
# sanitized NAME COMPILER: paged as without the pager. The thread sanitizer wants its address space
# not randomized.
sanitized() {
	"$2" "-fsanitize=$1" -o sum sum.c || return
	must setarch -R ./sum >plain
	expect_status 0 setarch -R "$CTL" run --memory 4M --swap "$SWAP" --verbose -- ./sum
	must cmp plain out
	expect_text err "Pages out: [1-9]"
}

sanitized address gcc || skip "no address sanitizer here"
sanitized thread gcc || echo "not tried: gcc's thread sanitizer"
# Its library is in the program, and wraps what the preloaded ones call, too.
sanitized thread clang || echo "not tried: clang's"
