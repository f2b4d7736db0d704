/* SPDX-License-Identifier: MIT */
/* Regions: address ranges of one client that map ranges of one object. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

uint32_t region_index(const struct client *client, uint64_t address)
{
	uint32_t low = 0, high = client->region_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (client->regions[middle]->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct region *region_lookup(const struct client *client, uint64_t address)
{
	uint32_t index = region_index(client, address);
	if (index == client->region_count || client->regions[index]->start > address)
		return NULL;
	return client->regions[index];
}

bool region_overlap(const struct region *region, uint64_t page, uint64_t count, uint64_t *first,
		    uint64_t *pages)
{
	uint64_t start = region->offset, end = region->offset + region_pages(region);
	if (page >= end || page + count <= start)
		return false;
	*first = page > start ? page : start;
	*pages = (page + count < end ? page + count : end) - *first;
	return true;
}

static int regions_reserve(struct client *client, uint32_t more)
{
	uint32_t need = client->region_count + more;
	if (need <= client->region_room)
		return 0;
	uint32_t room = client->region_room ? client->region_room * 2 : 16;
	if (room < need)
		room = need;
	struct region **regions = realloc(client->regions, room * sizeof *regions);
	if (!regions)
		return -ENOMEM;
	client->regions = regions;
	client->region_room = room;
	return 0;
}

static void region_link(struct pager *pager, struct client *client, struct region *region)
{
	uint32_t index = region_index(client, region->start);
	memmove(client->regions + index + 1, client->regions + index,
		(client->region_count - index) * sizeof *client->regions);
	client->regions[index] = region;
	client->region_count++;
	struct object *object = object_lookup(pager, region->object);
	region->object_next = object->regions;
	region->object_link = &object->regions;
	if (region->object_next)
		region->object_next->object_link = &region->object_next;
	object->regions = region;
	object->region_count++;
	client->stats.mapped_pages += region_pages(region);
}

static void region_unlink(struct pager *pager, struct client *client, struct region *region)
{
	uint32_t index = region_index(client, region->start);
	client->region_count--;
	memmove(client->regions + index, client->regions + index + 1,
		(client->region_count - index) * sizeof *client->regions);
	*region->object_link = region->object_next;
	if (region->object_next)
		region->object_next->object_link = region->object_link;
	object_lookup(pager, region->object)->region_count--;
	client->stats.mapped_pages -= region_pages(region);
}

int region_insert(struct pager *pager, struct client *client, const struct region *values,
		  struct region **out)
{
	int error = regions_reserve(client, 1);
	struct region *region = error ? NULL : malloc(sizeof *region);
	if (!region)
		return -ENOMEM;
	*region = *values;
	region_link(pager, client, region);
	*out = region;
	return 0;
}

/* Cut region in two at address, which lies inside it. */
static int region_split(struct pager *pager, struct client *client, struct region *region,
			uint64_t address)
{
	struct region upper = *region, *ignored;
	upper.streams = (struct streams){0};
	upper.start = address;
	upper.offset = region_page(region, address);
	client->stats.mapped_pages -= (region->end - address) >> PAGE_SHIFT;
	uint64_t end = region->end;
	region->end = address;
	int error = region_insert(pager, client, &upper, &ignored);
	if (error) {
		region->end = end;
		client->stats.mapped_pages += (end - address) >> PAGE_SHIFT;
	}
	return error;
}

int region_cut(struct pager *pager, struct client *client, uint64_t start, uint64_t end)
{
	struct region *region = region_lookup(client, start);
	if (region && region->start < start && region_split(pager, client, region, start))
		return -ENOMEM;
	region = region_lookup(client, end);
	if (region && region->start < end && region_split(pager, client, region, end))
		return -ENOMEM;
	return 0;
}

/* A hole in a region makes two of it. */
static int hole_begin(struct pager *pager, struct client *client, uint64_t start, uint64_t end)
{
	struct region *region = region_lookup(client, start);
	if (!region || region->start == start || region->end <= end)
		return 0;
	return region_split(pager, client, region, end);
}

/* What is left is at one end of [start, end). */
static void region_trim(struct client *client, struct region *region, uint64_t start, uint64_t end)
{
	client->stats.mapped_pages -= (end - start) >> PAGE_SHIFT;
	if (region->start < start) {
		region->end = start;
	} else {
		region->offset = region_page(region, end);
		region->start = end;
	}
}

/* Consecutive pages of an object that regions were removed from. */
struct removed {
	struct object *object; /* NULL: none */
	uint64_t page, end;
	bool whole; /* a region of it is gone */
};

/* They may be nobody's now: looked at together, as that goes through all that map the object. */
static void removed_end(struct pager *pager, struct removed *removed)
{
	struct object *object = removed->object;
	if (!object)
		return;
	struct object *base = object_lookup(pager, object->base);
	object_free_dead(pager, object, removed->page, removed->end);
	if (base)
		object_free_dead(pager, base, removed->page, removed->end);
	if (removed->whole)
		object_release(pager, object);
	removed->object = NULL;
}

/* Before the next region is removed: the end of what is not continued may free objects. */
static void removed_add(struct pager *pager, struct removed *removed, const struct region *region,
			uint64_t start, uint64_t end)
{
	struct object *object = object_lookup(pager, region->object);
	uint64_t page = region_page(region, start);
	if (removed->object != object || removed->end != page) {
		removed_end(pager, removed);
		*removed = (struct removed){.object = object, .page = page};
	}
	removed->end = region_page(region, end);
	removed->whole |= start == region->start && end == region->end;
}

/* Forget [start, end) of a region, which reaches to one of its ends. */
static void region_remove(struct pager *pager, struct client *client, struct region *region,
			  uint64_t start, uint64_t end)
{
	bool registered = region->registered;
	if (start == region->start && end == region->end) {
		region_unlink(pager, client, region);
		free(region);
	} else {
		region_trim(client, region, start, end);
	}
	if (registered)
		uffd_unregister(client->uffd, start, end - start);
}

int region_remove_range(struct pager *pager, struct client *client, uint64_t start, uint64_t end)
{
	struct removed removed = {.object = NULL};
	pageout_settle(pager);
	if (hole_begin(pager, client, start, end))
		return -ENOMEM;
	wired_remove(pager, client, start, end);
	for (;;) {
		uint32_t index = region_index(client, start);
		struct region *region =
			index < client->region_count ? client->regions[index] : NULL;
		if (!region || region->start >= end)
			break;
		uint64_t from = region->start > start ? region->start : start;
		uint64_t to = region->end < end ? region->end : end;
		removed_add(pager, &removed, region, from, to);
		region_remove(pager, client, region, from, to);
	}
	removed_end(pager, &removed);
	return 0;
}
