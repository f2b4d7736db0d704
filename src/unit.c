/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "core.h"

/* Neighbours that were taken for so small a part of the memory came in a short while before. */
#define RECENT_PART  8u
#define RECENT_LEAST 64u

/* A unit is at most so small a part of the memory: half of the least that reclaim keeps free. */
#define MEMORY_PART 64u

/* A mean of the last samples, about, and after how many it says something. */
#define SAMPLES	      32u
#define SAMPLES_LEAST 16u
/* Where all of a unit is used, in whatever order, half of a page's neighbours are there before it,
 * in the mean: larger units where half of that is seen, smaller ones where much less is. What a
 * smaller unit would bring as well says nothing for a larger one. */
#define NEAR_ALL    (1u << 16)
#define NEAR_LARGER (NEAR_ALL / 4)
#define NEAR_ENOUGH (NEAR_ALL * 3 / 20)

static const uint32_t sizes[UNIT_SIZES] = {4, UNIT_BLOCK};

static uint32_t unit_set(const struct pager *pager, const struct pool *pool)
{
	return pool->unit ? pool->unit : pager->pools[0].unit;
}

/* The program says that neighbours are not wanted: it is not found out whether they are. */
static bool advised_against(const struct region *region)
{
	return region->advice == ADVICE_RANDOM;
}

/* What is wanted, however little memory there is. */
static uint32_t unit_wanted(const struct pager *pager, const struct pool *pool,
			    const struct region *region)
{
	uint32_t set = unit_set(pager, pool), choice = region->unit.choice;
	if (set != UNIT_AUTO)
		return set;
	return choice && !advised_against(region) ? sizes[choice - 1] : 1;
}

/* Nobody has asked for the rest of a unit: it is left where nothing may come in unasked. */
static uint32_t unit_most(const struct pager *pager, const struct pool *pool)
{
	return pager->config.prefetch_max_pages ? pool_capacity(pager, pool) / MEMORY_PART : 1;
}

/* The unit, or so large a part of it that it is not larger than most. */
static uint32_t unit_fit(uint32_t unit, uint32_t most)
{
	while (unit > 1 && unit > most)
		unit /= 2;
	return unit;
}

uint32_t unit_pages(struct pager *pager, const struct region *region)
{
	const struct pool *pool = pool_of_region(pager, region);
	return unit_fit(unit_wanted(pager, pool, region), unit_most(pager, pool));
}

bool unit_probes(struct pager *pager, const struct region *region, uint64_t page)
{
	/* Blocks of all objects, in no order. */
	uint64_t block = page / UNIT_BLOCK + ((uint64_t)region->object << 40);
	return block * 0x9e3779b97f4a7c15 >> 58 == 0 && !advised_against(region) &&
	       unit_set(pager, pool_of_region(pager, region)) == UNIT_AUTO;
}

/* Is the page there since a short while? */
static bool page_recent(struct pager *pager, const struct object *object, uint64_t page)
{
	uint64_t pte = object_pte(object, page);
	enum page_state state = pte_state(pte);
	if (state != PAGE_RESIDENT && state != PAGE_READING)
		return false;
	const struct frame *frame = frame_get(pager, (uint32_t)pte_number(pte));
	const struct pool *pool = &pager->pools[frame->pool];
	uint32_t recent = pool_capacity(pager, pool) / RECENT_PART;
	return pool->tick - frame->tick < (recent > RECENT_LEAST ? recent : RECENT_LEAST);
}

struct range {
	uint64_t first, last; /* pages [first, last) */
};

/* The share of the pages of a range that came in just before, without those of a part of it. */
static uint32_t near_share(struct pager *pager, const struct object *object, struct range range,
			   struct range part)
{
	uint32_t near = 0;
	uint64_t pages = range.last - range.first - (part.last - part.first);
	for (uint64_t page = range.first; page < range.last; page++)
		near += page - part.first >= part.last - part.first &&
			page_recent(pager, object, page);
	return pages ? (uint32_t)(near * NEAR_ALL / pages) : 0;
}

/* The largest unit that would be used; the one there is, while it is not much too large. */
static void unit_choose(struct unit *unit)
{
	uint16_t choice = UNIT_SIZES;
	while (choice &&
	       unit->near[choice - 1] < (choice == unit->choice ? NEAR_ENOUGH : NEAR_LARGER))
		choice--;
	if (unit->samples >= SAMPLES_LEAST)
		unit->choice = choice;
}

/* The part of the aligned range of size pages around page that lies in the region, before end. */
static uint64_t unit_clip(const struct region *region, uint64_t page, uint32_t size, uint64_t *end)
{
	uint64_t first = page - page % size;
	if (*end > first + size)
		*end = first + size;
	return first > region->offset ? first : region->offset;
}

void unit_learn(struct pager *pager, struct region *region, const struct object *object,
		uint64_t page, uint64_t end)
{
	struct unit *unit = &region->unit;
	struct range part = {page, page + 1};
	unit->samples += unit->samples < SAMPLES;
	for (uint32_t i = 0; i < UNIT_SIZES; i++) {
		struct range range = {.last = end};
		range.first = unit_clip(region, page, sizes[i], &range.last);
		uint32_t near = near_share(pager, object, range, part);
		part = range;
		unit->near[i] =
			unit->near[i] + near / unit->samples - unit->near[i] / unit->samples;
	}
	unit_choose(unit);
}

uint32_t unit_span(struct pager *pager, const struct region *region, const struct object *object,
		   uint64_t page, uint64_t end, uint64_t *first)
{
	const struct client *client = client_lookup(pager, region->client);
	const struct pool *pool = pool_of(pager, client, object);
	uint32_t unit = chaos_unit(pager, unit_wanted(pager, pool, region));
	uint32_t most = unit_most(pager, pool);
	uint32_t room = frame_available(pager, client, object) / 2; /* see io_read */
	if (shortage_stalled(pager))
		most = 1; /* frames are lent to those who wait */
	unit = unit_fit(unit, most < room ? most : room);
	uint64_t lowest = unit_clip(region, page, unit, &end);
	*first = page;
	while (*first > lowest && io_readable(object, *first - 1, 2) == 2)
		--*first;
	return io_readable(object, *first, (uint32_t)(end - *first));
}
