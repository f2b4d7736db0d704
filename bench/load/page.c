/* SPDX-License-Identifier: MIT */
/* Writing and checking pages. */
#include "page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t stamp(uint64_t number, uint64_t word, uint8_t version)
{
	return (number * PAGE_WORDS + word) * 0x9e3779b97f4a7c15u + version;
}

void page_write(void *page, uint64_t number, uint8_t version)
{
	uint64_t *words = page;

	for (uint64_t i = 0; i < PAGE_WORDS; i += LINE_WORDS)
		words[i] = stamp(number, i, version);
}

static _Noreturn void wrong(uint64_t number, uint64_t word)
{
	fprintf(stderr, "compare_load: WRONG DATA in page %" PRIu64 ", word %" PRIu64 "\n", number,
		word);
	exit(1);
}

void page_check(const void *page, uint64_t number, uint8_t version)
{
	const uint64_t *words = page;

	for (uint64_t i = 0; i < PAGE_WORDS; i += LINE_WORDS)
		if (words[i] != (version ? stamp(number, i, version) : 0))
			wrong(number, i);
}
