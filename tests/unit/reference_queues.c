/* SPDX-License-Identifier: MIT */
/* Slow references: the policies of a few queues, in the order of their papers' pseudocode. */
#include <assert.h>
#include <string.h>

#include "reference.h"

static unsigned share(unsigned pages, unsigned percent)
{
	unsigned result = pages * percent / 100;
	return result ? result : 1;
}

/* a: A1in, b: A1out, c: Am. */
static void reclaim_for(struct reference *r, uint32_t *out)
{
	if (r->a.count + r->c.count < r->capacity)
		return;
	if (r->a.count > share(r->capacity, 25) || !r->c.count) {
		*out = pages_take_first(&r->a);
		pages_add(&r->b, *out);
		if (r->b.count > share(r->capacity, 50))
			pages_take_first(&r->b);
	} else {
		*out = pages_take_first(&r->c);
	}
}

bool reference_2q(struct reference *r, uint32_t page, uint32_t *out)
{
	if (pages_have(&r->c, page)) {
		pages_remove(&r->c, page);
		pages_add(&r->c, page);
		return true;
	}
	if (pages_have(&r->a, page))
		return true;
	bool known = pages_have(&r->b, page);
	reclaim_for(r, out);
	if (known && pages_have(&r->b, page))
		pages_remove(&r->b, page);
	pages_add(known ? &r->c : &r->a, page);
	return false;
}

/* a: T1, b: B1, c: T2, d: B2. */
static void arc_replace(struct reference *r, uint32_t page, uint32_t *out)
{
	double t1 = r->a.count;
	if (r->a.count && (t1 > r->p || (pages_have(&r->d, page) && t1 == r->p))) {
		*out = pages_take_first(&r->a);
		pages_add(&r->b, *out);
	} else {
		*out = pages_take_first(&r->c);
		pages_add(&r->d, *out);
	}
}

static void adapt(struct reference *r, bool in_b1)
{
	double b1 = r->b.count, b2 = r->d.count, c = r->capacity;
	if (in_b1)
		r->p = r->p + (b1 >= b2 ? 1 : b2 / b1) < c ? r->p + (b1 >= b2 ? 1 : b2 / b1) : c;
	else
		r->p = r->p - (b2 >= b1 ? 1 : b1 / b2) > 0 ? r->p - (b2 >= b1 ? 1 : b1 / b2) : 0;
}

bool reference_arc(struct reference *r, uint32_t page, uint32_t *out)
{
	unsigned c = r->capacity;
	bool t1 = pages_have(&r->a, page), t2 = pages_have(&r->c, page);
	bool b1 = pages_have(&r->b, page), b2 = pages_have(&r->d, page);
	if (t1 || t2) { /* case I */
		pages_remove(t1 ? &r->a : &r->c, page);
		pages_add(&r->c, page);
		return true;
	}
	if (b1 || b2) { /* cases II and III */
		adapt(r, b1);
		arc_replace(r, page, out);
		pages_remove(b1 ? &r->b : &r->d, page);
		pages_add(&r->c, page);
		return false;
	}
	unsigned l1 = r->a.count + r->b.count, l2 = r->c.count + r->d.count;
	if (l1 == c) { /* case IV (i) */
		if (r->a.count < c) {
			pages_take_first(&r->b);
			arc_replace(r, page, out);
		} else {
			*out = pages_take_first(&r->a);
		}
	} else if (l1 + l2 >= c) { /* case IV (ii) */
		if (l1 + l2 == 2 * c)
			pages_take_first(&r->d);
		arc_replace(r, page, out);
	}
	pages_add(&r->a, page);
	return false;
}

static void car_replace(struct reference *r, uint32_t *out)
{
	for (;;) {
		bool first = r->a.count >= (r->p > 1 ? r->p : 1);
		uint32_t page = pages_take_first(first ? &r->a : &r->c);
		if (!r->marked[page]) {
			pages_add(first ? &r->b : &r->d, page);
			*out = page;
			return;
		}
		r->marked[page] = false;
		pages_add(&r->c, page);
	}
}

bool reference_car(struct reference *r, uint32_t page, uint32_t *out)
{
	unsigned c = r->capacity;
	if (pages_have(&r->a, page) || pages_have(&r->c, page)) {
		r->marked[page] = true;
		return true;
	}
	bool b1 = pages_have(&r->b, page), b2 = pages_have(&r->d, page);
	if (r->a.count + r->c.count == c) {
		car_replace(r, out);
		if (!b1 && !b2 && r->a.count + r->b.count == c)
			pages_take_first(&r->b);
		else if (!b1 && !b2 && r->a.count + r->b.count + r->c.count + r->d.count == 2 * c)
			pages_take_first(&r->d);
	}
	r->marked[page] = false;
	if (!b1 && !b2) {
		pages_add(&r->a, page);
		return false;
	}
	adapt(r, b1);
	pages_remove(b1 ? &r->b : &r->d, page);
	pages_add(&r->c, page);
	return false;
}

/* a: S, b: G, c: M. */
static void s3fifo_evict(struct reference *r, uint32_t *out)
{
	bool small = r->a.count >= share(r->capacity, 10) || !r->c.count;
	while (small && r->a.count) {
		uint32_t page = pages_take_first(&r->a);
		if (r->uses[page] <= 1) {
			pages_add(&r->b, page);
			*out = page;
			return;
		}
		r->uses[page] = 0;
		pages_add(&r->c, page);
	}
	for (;;) {
		uint32_t page = pages_take_first(&r->c);
		if (!r->uses[page]) {
			*out = page;
			return;
		}
		r->uses[page]--;
		pages_add(&r->c, page);
	}
}

bool reference_s3fifo(struct reference *r, uint32_t page, uint32_t *out)
{
	if (pages_have(&r->a, page) || pages_have(&r->c, page)) {
		r->uses[page] += r->uses[page] < 3;
		return true;
	}
	bool ghost = pages_have(&r->b, page);
	if (ghost)
		pages_remove(&r->b, page);
	if (r->a.count + r->c.count == r->capacity)
		s3fifo_evict(r, out);
	while (r->b.count > share(r->capacity, 90))
		pages_take_first(&r->b);
	r->uses[page] = 0;
	pages_add(ghost ? &r->c : &r->a, page);
	return false;
}

/* ---- w-tinylfu: a window, b probation, c protected --------------------------------------- */

static uint8_t *counter(struct reference *r, uint32_t page, unsigned row)
{
	static const uint64_t odd[4] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
					0x27d4eb2f165667c5};
	unsigned columns = 1;
	while (columns < r->capacity)
		columns *= 2;
	uint64_t hash = page;
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
	hash ^= hash >> 31;
	uint64_t column = (hash * odd[row] >> 32) % columns;
	return &r->counters[row][column][hash >> 2 * row & 3];
}

static unsigned frequency(struct reference *r, uint32_t page)
{
	unsigned least = 15;
	for (unsigned row = 0; row < 4; row++)
		least = *counter(r, page, row) < least ? *counter(r, page, row) : least;
	return least;
}

static void count_use(struct reference *r, uint32_t page)
{
	for (unsigned row = 0; row < 4; row++)
		*counter(r, page, row) += *counter(r, page, row) < 15;
	if (++r->counted < 10 * r->capacity)
		return;
	r->counted /= 2;
	uint8_t *all = &r->counters[0][0][0];
	for (size_t i = 0; i < sizeof r->counters; i++)
		all[i] /= 2;
}

static bool tinylfu_hit(struct reference *r, uint32_t page)
{
	unsigned window = share(r->capacity, 1), main = r->capacity - window;
	if (pages_have(&r->a, page)) {
		pages_remove(&r->a, page);
		pages_add(&r->a, page);
	} else if (pages_have(&r->b, page)) {
		pages_remove(&r->b, page);
		pages_add(&r->c, page);
		if (r->c.count > share(main, 80))
			pages_add(&r->b, pages_take_first(&r->c));
	} else if (pages_have(&r->c, page)) {
		pages_remove(&r->c, page);
		pages_add(&r->c, page);
	} else {
		return false;
	}
	return true;
}

/* The page comes in first: then the candidate and the victim meet. */
bool reference_tinylfu(struct reference *r, uint32_t page, uint32_t *out)
{
	bool hit = tinylfu_hit(r, page);
	bool full = r->a.count + r->b.count + r->c.count == r->capacity;
	if (!hit) {
		pages_add(&r->a, page);
		if (r->a.count > share(r->capacity, 1)) {
			uint32_t candidate = pages_take_first(&r->a);
			struct pages *main = r->b.count ? &r->b : &r->c;
			bool wins = !full || (main->count &&
					      frequency(r, candidate) > frequency(r, main->at[0]));
			if (full)
				*out = wins ? pages_take_first(main) : candidate;
			if (wins)
				pages_add(&r->b, candidate);
		}
	}
	count_use(r, page);
	return hit;
}
