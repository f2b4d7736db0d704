/* SPDX-License-Identifier: MIT */
/* How often pages were used lately, in a few bits a page. */
#include "policy/sketch.h"

#include <errno.h>
#include <string.h>

#include "reserve.h"

#define SKETCH_ROWS 4u
#define SKETCH_MOST 15u /* of 4 bits */

/* The smallest power of two that is at least pages. */
static uint64_t words_for(uint32_t pages)
{
	uint64_t words = 1;
	while (words < pages)
		words *= 2;
	return words;
}

int sketch_init(struct sketch *sketch, uint32_t pages)
{
	*sketch = (struct sketch){.limit = words_for(pages)};
	sketch->words = memory_reserve(sketch->limit * sizeof *sketch->words);
	return sketch->words ? 0 : -ENOMEM;
}

void sketch_finish(struct sketch *sketch)
{
	memory_release(sketch->words, sketch->limit * sizeof *sketch->words);
	*sketch = (struct sketch){0};
}

void sketch_resize(struct sketch *sketch, uint32_t pages, uint64_t sample)
{
	uint64_t words = words_for(pages);
	if (words > sketch->limit)
		words = sketch->limit;
	sketch->sample = sample;
	if (words == sketch->mask + 1)
		return;
	memset(sketch->words, 0, (sketch->mask + 1) * sizeof *sketch->words);
	sketch->mask = words - 1;
	sketch->uses = 0;
}

static uint64_t page_hash(pagerd_page_t page)
{
	page = (page ^ page >> 30) * 0xbf58476d1ce4e5b9;
	page = (page ^ page >> 27) * 0x94d049bb133111eb;
	return page ^ page >> 31;
}

/* The word of a row, and where the row's counter of the page is in it. */
static uint64_t *counter_find(const struct sketch *sketch, uint64_t hash, unsigned row,
			      unsigned *shift)
{
	static const uint64_t odd[SKETCH_ROWS] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f,
						  0x165667b19e3779f9, 0x27d4eb2f165667c5};
	uint64_t mixed = hash * odd[row];
	*shift = 4 * (4 * row + (unsigned)(hash >> 2 * row & 3));
	return &sketch->words[mixed >> 32 & sketch->mask];
}

static void sketch_halve(struct sketch *sketch)
{
	for (uint64_t i = 0; i <= sketch->mask; i++)
		sketch->words[i] = sketch->words[i] >> 1 & 0x7777777777777777;
	sketch->uses /= 2;
}

void sketch_use(struct sketch *sketch, pagerd_page_t page)
{
	uint64_t hash = page_hash(page);
	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		unsigned shift;
		uint64_t *word = counter_find(sketch, hash, row, &shift);
		if ((*word >> shift & SKETCH_MOST) < SKETCH_MOST)
			*word += 1ull << shift;
	}
	if (++sketch->uses >= sketch->sample)
		sketch_halve(sketch);
}

unsigned sketch_uses(const struct sketch *sketch, pagerd_page_t page)
{
	uint64_t hash = page_hash(page);
	unsigned least = SKETCH_MOST;
	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		unsigned shift;
		const uint64_t *word = counter_find(sketch, hash, row, &shift);
		unsigned uses = (unsigned)(*word >> shift);
		uses &= SKETCH_MOST;
		least = uses < least ? uses : least;
	}
	return least;
}

uint64_t sketch_bytes(const struct sketch *sketch)
{
	return (sketch->mask + 1) * sizeof *sketch->words;
}
