/* SPDX-License-Identifier: MIT */
/* Warm-up: reading in what a program is expected to need at its start. */
#include "warmup.h"

#include <stdlib.h>

#include "core.h"

/* A demanded page waits for what the device has begun: two long reads are as fast as many. */
#define WARMUP_READS 2u
/* A device reads so many pages in the time in which it begins another read. */
#define WARMUP_GAP 8u

struct warmup {
	uint32_t client;
	uint32_t client_generation;
	uint64_t address; /* of the region */
	const struct learn_file *file;
	uint32_t range; /* of the file's, in which page is, or the next one after it */
	uint64_t page;	/* the next to look at */
	struct warmup *next;
};

void warmup_start(struct pager *pager, const struct client *client, const struct region *region)
{
	struct warmup *warmup = malloc(sizeof *warmup), **link = &pager->warmups;
	if (!warmup)
		return;
	*warmup = (struct warmup){
		.client = client->number,
		.client_generation = client->generation,
		.address = region->start,
		.file = region->learned,
		.page = region->offset,
	};
	while (*link)
		link = &(*link)->next;
	*link = warmup;
}

void warmup_forget(struct pager *pager, const struct learn_file *file)
{
	for (struct warmup **link = &pager->warmups; *link;) {
		struct warmup *warmup = *link;
		if (file && warmup->file != file) {
			link = &warmup->next;
			continue;
		}
		*link = warmup->next;
		free(warmup);
	}
}

/* The first page that is wanted at or before end, and not there; end if there is none. */
static uint64_t next_wanted(struct warmup *warmup, const struct object *object, uint64_t end)
{
	const struct learn_file *file = warmup->file;
	for (; warmup->range < file->wanted_count; warmup->range++) {
		const struct pagerd_pages *range = &file->wanted[warmup->range];
		uint64_t page = warmup->page > range->page ? warmup->page : range->page;
		for (; page < range->page + range->count && page < end; page++)
			if (pte_state(object_pte(object, page)) == PAGE_ABSENT)
				return page;
		if (page >= end)
			break;
	}
	return end;
}

/* Collect the next pages up to end for one read; returns how many are wanted. */
static uint32_t stretch_collect(struct warmup *warmup, const struct object *object, uint64_t end,
				struct io_stretch *stretch)
{
	uint64_t page = next_wanted(warmup, object, end);
	uint32_t wanted = 0;
	*stretch = (struct io_stretch){.page = page, .warmup = true};
	while (page < end && page - stretch->page < IO_PAGES &&
	       page - stretch->page <= stretch->count + WARMUP_GAP) {
		io_stretch_add(stretch, page);
		wanted++;
		warmup->page = page + 1;
		page = next_wanted(warmup, object, end);
	}
	return wanted;
}

static struct region *warmup_region(struct pager *pager, const struct warmup *warmup)
{
	struct client *client =
		client_lookup_same(pager, warmup->client, warmup->client_generation);
	if (!client)
		return NULL;
	struct region *region = region_lookup(client, warmup->address);
	return region && region->learned == warmup->file ? region : NULL;
}

enum step {
	STEP_END,   /* nothing more for this one */
	STEP_LATER, /* not now */
	STEP_MORE,
};

static enum step warmup_step(struct pager *pager, struct warmup *warmup)
{
	const struct region *region = warmup_region(pager, warmup);
	if (!region)
		return STEP_END;
	struct client *client = client_lookup(pager, warmup->client);
	struct object *object = object_behind(pager, object_lookup(pager, region->object));
	uint64_t bytes, end = object_file_pages(object, &bytes);
	uint64_t region_end = region->offset + region_pages(region);
	end = region_end < end ? region_end : end;
	end = object->capacity_pages < end ? object->capacity_pages : end;
	if (pager->bounce.free_pages < IO_PAGES + BOUNCE_PAGES / 8 || !io_ahead_room(pager))
		return STEP_LATER;
	struct warmup before = *warmup;
	struct io_stretch stretch;
	uint32_t wanted = stretch_collect(warmup, object, end, &stretch), io;
	if (!wanted || !pageout_spares(pager, pool_number(client, object), wanted))
		return STEP_END;
	if (!io_read_stretch(pager, client, object, &stretch, &io)) {
		*warmup = before;
		return STEP_LATER;
	}
	io_read_ahead(pager, io, client, region_address(region, stretch.page));
	pager->ios[io].advised = true;
	COUNT(pager, client, object, pages_prefetched, wanted);
	return STEP_MORE;
}

void warmup_run(struct pager *pager)
{
	while (pager->warmups && pager->io_warmups < WARMUP_READS) {
		struct warmup *warmup = pager->warmups;
		switch (warmup_step(pager, warmup)) {
		case STEP_END:
			pager->warmups = warmup->next;
			free(warmup);
			break;
		case STEP_LATER:
			return;
		case STEP_MORE:
			break;
		}
	}
}
