/* SPDX-License-Identifier: MIT */
/* Slow references: the policies of one list, and the optimum. */
#include "reference.h"

#include <assert.h>
#include <string.h>

bool pages_have(const struct pages *pages, uint32_t page)
{
	for (unsigned i = 0; i < pages->count; i++)
		if (pages->at[i] == page)
			return true;
	return false;
}

void pages_add(struct pages *pages, uint32_t page)
{
	assert(pages->count < REFERENCE_PAGES);
	pages->at[pages->count++] = page;
}

void pages_remove(struct pages *pages, uint32_t page)
{
	unsigned i = 0;
	while (pages->at[i] != page)
		i++;
	assert(i < pages->count);
	pages->count--;
	memmove(&pages->at[i], &pages->at[i + 1], (pages->count - i) * sizeof *pages->at);
}

uint32_t pages_take_first(struct pages *pages)
{
	uint32_t page = pages->at[0];
	pages_remove(pages, page);
	return page;
}

uint32_t pages_take_last(struct pages *pages)
{
	return pages->at[--pages->count];
}

bool reference_fifo(struct reference *r, uint32_t page, uint32_t *out)
{
	if (pages_have(&r->a, page))
		return true;
	if (r->a.count == r->capacity)
		*out = pages_take_first(&r->a);
	pages_add(&r->a, page);
	return false;
}

bool reference_lru(struct reference *r, uint32_t page, uint32_t *out)
{
	bool hit = pages_have(&r->a, page);
	if (hit)
		pages_remove(&r->a, page);
	else if (r->a.count == r->capacity)
		*out = pages_take_first(&r->a);
	pages_add(&r->a, page);
	return hit;
}

bool reference_mru(struct reference *r, uint32_t page, uint32_t *out)
{
	bool hit = pages_have(&r->a, page);
	if (hit)
		pages_remove(&r->a, page);
	else if (r->a.count == r->capacity)
		*out = pages_take_last(&r->a);
	pages_add(&r->a, page);
	return hit;
}

/* A ring of page frames, as a clock is drawn: here a page takes the place of its victim. */
bool reference_clock(struct reference *r, uint32_t page, uint32_t *out)
{
	if (pages_have(&r->a, page)) {
		r->marked[page] = true;
		return true;
	}
	r->marked[page] = false;
	if (r->a.count < r->capacity) {
		pages_add(&r->a, page);
		return false;
	}
	while (r->marked[r->a.at[r->hand]]) {
		r->marked[r->a.at[r->hand]] = false;
		r->hand = (r->hand + 1) % r->capacity;
	}
	*out = r->a.at[r->hand];
	r->a.at[r->hand] = page;
	r->hand = (r->hand + 1) % r->capacity;
	return false;
}

/* hand is an index: what is evicted there makes it point at the next. */
bool reference_sieve(struct reference *r, uint32_t page, uint32_t *out)
{
	if (pages_have(&r->a, page)) {
		r->marked[page] = true;
		return true;
	}
	r->marked[page] = false;
	if (r->a.count == r->capacity) {
		while (r->marked[r->a.at[r->hand]]) {
			r->marked[r->a.at[r->hand]] = false;
			r->hand = (r->hand + 1) % r->a.count;
		}
		*out = r->a.at[r->hand];
		pages_remove(&r->a, *out);
		if (r->hand == r->a.count)
			r->hand = 0;
	}
	pages_add(&r->a, page);
	return false;
}

/* Frequencies while in the cache; when: the page came to the frequency that it has. */
bool reference_lfu(struct reference *r, uint32_t page, uint32_t *out)
{
	bool hit = pages_have(&r->a, page);
	if (!hit && r->a.count == r->capacity) {
		uint32_t least = r->a.at[0];
		for (unsigned i = 1; i < r->a.count; i++) {
			uint32_t other = r->a.at[i];
			if (r->uses[other] < r->uses[least] ||
			    (r->uses[other] == r->uses[least] && r->when[other] < r->when[least]))
				least = other;
		}
		*out = least;
		pages_remove(&r->a, least);
	}
	if (!hit) {
		pages_add(&r->a, page);
		if (!r->percent) /* else frequencies outlive eviction, all of them */
			r->uses[page] = 0;
	}
	r->uses[page]++;
	r->when[page] = r->now;
	return hit;
}

static unsigned next_use(const struct reference *r, uint32_t page)
{
	unsigned i = r->now + 1;
	while (i < r->length && r->trace[i] != page)
		i++;
	return i;
}

/* Of pages that are never used again the one that was used last. */
bool reference_min(struct reference *r, uint32_t page, uint32_t *out)
{
	bool hit = pages_have(&r->a, page);
	if (!hit && r->a.count == r->capacity) {
		uint32_t best = r->a.at[0];
		for (unsigned i = 1; i < r->a.count; i++) {
			uint32_t other = r->a.at[i];
			unsigned next = next_use(r, other), furthest = next_use(r, best);
			if (next > furthest || (next == furthest && r->when[other] > r->when[best]))
				best = other;
		}
		*out = best;
		pages_remove(&r->a, best);
	}
	if (!hit)
		pages_add(&r->a, page);
	r->when[page] = r->now;
	return hit;
}
