/* SPDX-License-Identifier: MIT */
/* Numbers of clients: each is given to one at a time, the lowest first. */
#include "numbers.h"

#include <stdlib.h>
#include <string.h>

static bool numbers_grow(struct numbers *numbers)
{
	size_t words = numbers->words ? numbers->words * 2 : 4;
	uint64_t *taken = realloc(numbers->taken, words * sizeof *taken);
	if (!taken)
		return false;
	memset(taken + numbers->words, 0, (words - numbers->words) * sizeof *taken);
	taken[0] |= 1; /* 0 is nobody's */
	numbers->taken = taken;
	numbers->words = words;
	return true;
}

bool number_take(struct numbers *numbers, uint32_t *number)
{
	size_t word = 0;
	while (word < numbers->words && numbers->taken[word] == UINT64_MAX)
		word++;
	if (word == numbers->words && !numbers_grow(numbers))
		return false;
	unsigned bit = (unsigned)__builtin_ctzll(~numbers->taken[word]);
	numbers->taken[word] |= 1ull << bit;
	*number = (uint32_t)(word * 64 + bit);
	return true;
}

void number_give(struct numbers *numbers, uint32_t number)
{
	if (number)
		numbers->taken[number / 64] &= ~(1ull << number % 64);
}

void numbers_finish(struct numbers *numbers)
{
	free(numbers->taken);
	*numbers = (struct numbers){0};
}
