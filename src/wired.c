/* SPDX-License-Identifier: MIT */
#include "wired.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

void wired_finish(struct wired *wired)
{
	free(wired->ranges);
	*wired = (struct wired){0};
}

/* Index of the first range that ends after address (may be the count). */
static uint32_t wired_index(const struct wired *wired, uint64_t address)
{
	uint32_t low = 0, high = wired->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (wired->ranges[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int wired_reserve(struct client *client, uint32_t more)
{
	struct wired *wired = &client->wired;
	uint32_t room = wired->room ? wired->room : 16;
	while (room - wired->count < more)
		room *= 2;
	if (room == wired->room)
		return 0;
	struct wired_range *ranges = realloc(wired->ranges, room * sizeof *ranges);
	if (!ranges)
		return -ENOMEM;
	wired->ranges = ranges;
	wired->room = room;
	return 0;
}

static void wired_insert(struct wired *wired, uint32_t index, uint64_t start, uint64_t end)
{
	memmove(wired->ranges + index + 1, wired->ranges + index,
		(wired->count - index) * sizeof *wired->ranges);
	wired->ranges[index] = (struct wired_range){start, end};
	wired->count++;
}

static void wired_erase(struct wired *wired, uint32_t index)
{
	wired->count--;
	memmove(wired->ranges + index, wired->ranges + index + 1,
		(wired->count - index) * sizeof *wired->ranges);
}

/* Pages that may still be wired. A pager that shares the budget with others may have little of it
 * before it needs more. */
static uint64_t wired_room(const struct pager *pager, const struct client *client)
{
	const struct pool *pool = &pager->pools[client->pool];
	const struct bank *bank = pool->share.account.bank;
	uint64_t capacity = pool_capacity(pager, pool);
	uint64_t even = bank ? bank_total(bank) / pager->config.shards : 0;
	uint64_t half = (capacity > even ? capacity : even) / 2;
	return half > pager->wired_pages ? half - pager->wired_pages : 0;
}

void wired_add(struct pager *pager, struct client *client, uint64_t start, uint64_t end)
{
	struct wired *wired = &client->wired;
	uint64_t room = wired_room(pager, client), pages = (end - start) >> PAGE_SHIFT;
	if (pages > room) {
		pager_tell(pager,
			   "more memory is locked than half of what there is: the rest of it "
			   "is paged as if it were not");
		pages = room;
	}
	if (!pages)
		return;
	end = start + (pages << PAGE_SHIFT);
	uint32_t index = wired_index(wired, start);
	if (index && wired->ranges[index - 1].end == start)
		wired->ranges[index - 1].end = end;
	else
		wired_insert(wired, index, start, end);
	pager->wired_pages += pages;
}

void wired_remove(struct pager *pager, struct client *client, uint64_t start, uint64_t end)
{
	struct wired *wired = &client->wired;
	for (uint32_t i = wired_index(wired, start);
	     i < wired->count && wired->ranges[i].start < end;) {
		struct wired_range old = wired->ranges[i];
		uint64_t from = old.start > start ? old.start : start;
		uint64_t to = old.end < end ? old.end : end;
		pager->wired_pages -= (to - from) >> PAGE_SHIFT;
		wired_erase(wired, i);
		if (old.start < from)
			wired_insert(wired, i++, old.start, from);
		if (to < old.end && !wired_reserve(client, 1))
			wired_insert(wired, i++, to, old.end);
		else /* a removal must not fail: it takes more with it */
			pager->wired_pages -= (old.end - to) >> PAGE_SHIFT;
	}
}

bool wired_at(const struct client *client, uint64_t address)
{
	const struct wired *wired = &client->wired;
	uint32_t index = wired_index(wired, address);
	return index < wired->count && wired->ranges[index].start <= address;
}

bool wired_page(struct pager *pager, const struct object *object, uint64_t page)
{
	uint64_t first, pages;
	if (!pager->wired_pages || pager->desperate)
		return false;
	for (const struct region *region = object->regions; region; region = region->object_next)
		if (region_overlap(region, page, 1, &first, &pages) &&
		    wired_at(client_lookup(pager, region->client), region_address(region, page)))
			return true;
	for (uint32_t i = object->privates; i; i = pager->objects[i]->private_next)
		if (wired_page(pager, pager->objects[i], page))
			return true;
	return false;
}
