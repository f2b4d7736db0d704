/* SPDX-License-Identifier: MIT */
#include "area.h"

#include <string.h>
#include <sys/mman.h>

void space_init(struct space *space)
{
	memset(space, 0, sizeof(*space));
	space->area[0].base = ARENA;
	space->area[0].pages = ARENA_PAGES;
}

static uint32_t page_cut(const struct program *program, struct random *random)
{
	if (random_chance(random, 75))
		return program->cuts[random_below(random, CUTS)];
	return random_below(random, ARENA_PAGES);
}

struct range range_arena(struct space *space, const struct program *program, struct random *random)
{
	struct range range = {&space->area[0], page_cut(program, random), 0};
	uint32_t end = page_cut(program, random);
	uint32_t few = 1 + random_below(random, 16);

	if (end > range.page && end - range.page <= 64 && random_chance(random, 60))
		range.pages = end - range.page;
	else
		range.pages = few;
	if (range.page + range.pages > ARENA_PAGES)
		range.pages = ARENA_PAGES - range.page;
	return range;
}

struct range range_any(struct space *space, const struct program *program, struct random *random)
{
	struct range range = range_arena(space, program, random);
	uint32_t which = random_below(random, 24);

	if (which == 0 || which >= AREAS || !space->area[which].pages)
		return range;
	range.area = &space->area[which];
	range.page %= range.area->pages;
	range.pages = 1 + (range.pages - 1) % (range.area->pages - range.page);
	return range;
}

char *range_address(const struct range *range)
{
	return range->area->base + (uint64_t)range->page * PAGE;
}

struct page *range_pages(const struct range *range)
{
	return &range->area->page[range->page];
}

bool range_loose(const struct space *space, const struct range *range)
{
	return range->area != &space->area[0];
}

bool range_find(struct space *space, const void *address, uint64_t length, struct range *range)
{
	for (int i = 0; i < AREAS; i++) {
		struct area *area = &space->area[i];
		uint64_t at = (uint64_t)((const char *)address - area->base) / PAGE;
		uint64_t pages = (length + PAGE - 1) / PAGE;

		if (!area->pages || (const char *)address < area->base || at >= area->pages)
			continue;
		if (pages > area->pages - at)
			pages = area->pages - at;
		*range = (struct range){area, (uint32_t)at, (uint32_t)pages};
		return true;
	}
	return false;
}

bool range_uniform(const struct range *range)
{
	const struct page *first = range_pages(range);

	if (first->kind == PAGE_HOLE || first->torn)
		return first->kind == PAGE_HOLE && range->pages == 1;
	for (uint32_t i = 1; i < range->pages; i++) {
		const struct page *page = &first[i];

		if (page->mapping != first->mapping || page->torn ||
		    page->protection != first->protection || page->advice != first->advice ||
		    page->file_page != first->file_page + i)
			return false;
	}
	return true;
}

bool range_unsplit(const struct range *range)
{
	const struct page *first = range_pages(range);

	for (uint32_t i = 1; i < range->pages; i++) {
		if (first[i].split != first->split)
			return false;
	}
	return range_uniform(range);
}

void range_split(const struct range *range, uint32_t step)
{
	for (uint32_t i = 0; i < range->pages; i++)
		range_pages(range)[i].split = range_pages(range)[i].split * 31 + step + 1;
}

bool range_has_kind(const struct range *range, enum page_kind kind)
{
	for (uint32_t i = 0; i < range->pages; i++) {
		if (range_pages(range)[i].kind == kind)
			return true;
	}
	return false;
}

bool range_private(const struct range *range)
{
	return !range_has_kind(range, PAGE_SHARED) && !range_has_kind(range, PAGE_FILE_SHARED);
}

void range_set(const struct range *range, const struct page *first)
{
	for (uint32_t i = 0; i < range->pages; i++) {
		range_pages(range)[i] = *first;
		range_pages(range)[i].file_page += i;
	}
}

void range_tear(struct space *space, const struct range *range)
{
	for (uint32_t i = 0; i < range->pages; i++)
		range_pages(range)[i].torn = ++space->tears ? space->tears : ++space->tears;
}

/* Parts of a mapping that differ when a process forks are never one again in its child, be they as
 * like each other as they may: the kernel merges no mappings that were forked apart. */
static void area_forked(struct area *area)
{
	struct page before = {.kind = PAGE_HOLE};
	uint32_t apart = 0;

	for (uint32_t i = 0; i < area->pages; i++) {
		struct page *page = &area->page[i], old = *page;

		if (page->mapping != before.mapping)
			apart = 0;
		else if (page->protection != before.protection || page->advice != before.advice)
			apart = (i + 1) << 20;
		page->mapping ^= apart;
		before = old;
	}
}

void space_forked(struct space *space)
{
	struct area *arena = &space->area[0];

	space->locks_new = false;
	for (int i = 0; i < AREAS; i++)
		area_forked(&space->area[i]);
	for (uint32_t i = 0; i < arena->pages; i++) {
		if (arena->page[i].advice & 1u << MADV_DONTFORK)
			arena->page[i] = (struct page){.kind = PAGE_HOLE};
		arena->page[i].advice &= ~PAGE_LOCKED;
	}
}

void area_forget(struct area *area)
{
	memset(area, 0, sizeof(*area));
}

void report_address(struct report *r, const struct space *space, const void *address)
{
	for (int i = 0; i < AREAS; i++) {
		const struct area *area = &space->area[i];
		uint64_t at = (uint64_t)((const char *)address - area->base);

		if (!area->pages || (const char *)address < area->base ||
		    at >= (uint64_t)area->pages * PAGE)
			continue;
		report(r, "%c+%u", "AXYZ"[i], (unsigned)(at / PAGE));
		if (at % PAGE)
			report(r, ".%u", (unsigned)(at % PAGE));
		return;
	}
	report(r, address ? "elsewhere" : "0");
}

void report_place(struct report *r, const struct space *space, const char *address)
{
	if (address >= ARENA && address < ARENA + (uint64_t)ARENA_PAGES * PAGE)
		report_address(r, space, address);
	else
		report(r, "elsewhere");
}
