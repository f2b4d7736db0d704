/* SPDX-License-Identifier: MIT */
/*
 * Regions: address ranges of one client that map ranges of one object.
 *
 * A client's regions are an array of pointers ordered by address; an object's are a list (its
 * reverse map). The pager's thread only.
 */
#ifndef PAGERD_REGION_H
#define PAGERD_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "object.h"
#include "stream.h"
#include "unit.h"
#include "update.h"

struct pager;
struct client;
struct learn_file;

enum region_advice {
	ADVICE_NORMAL,
	ADVICE_RANDOM,
	ADVICE_SEQUENTIAL,
};

struct region {
	uint32_t client;
	uint32_t object;
	uint64_t start; /* address, bytes */
	uint64_t end;
	uint64_t offset; /* object page that start maps */
	bool read_only;	 /* MAP_PRIVATE of a read-only memfd: never written, no markers */
	bool registered; /* false: a clone that the forked child has not taken yet */
	enum region_advice advice;
	struct learn_file *learned; /* of the file, or NULL */
	uint64_t write_next; /* object page whose write fault would continue a run of writes */
	uint32_t write_window;
	struct update update;
	struct streams streams;
	struct unit unit;
	struct region *object_next;
	struct region **object_link; /* what points to this region in the object's list */
};

static inline uint64_t region_pages(const struct region *region)
{
	return (region->end - region->start) >> 12;
}

static inline uint64_t region_page(const struct region *region, uint64_t address)
{
	return region->offset + ((address - region->start) >> 12);
}

static inline uint64_t region_address(const struct region *region, uint64_t page)
{
	return region->start + ((page - region->offset) << 12);
}

/* The region that holds address; NULL if none. */
struct region *region_lookup(const struct client *client, uint64_t address);
/* Index of the first region that ends after address (may be the count of regions). */
uint32_t region_index(const struct client *client, uint64_t address);
/* Add a region; what was in that range before must have been removed. 0 or -ENOMEM. */
int region_insert(struct pager *pager, struct client *client, const struct region *values,
		  struct region **region);
/* Forget everything in [start, end), splitting what straddles the ends. Objects that nobody
 * maps any more are released, pages of anonymous objects that nobody sees any more are freed.
 * 0, or -ENOMEM with nothing changed: but only for a range inside one region, with something left
 * on both sides, which needs memory. */
int region_remove_range(struct pager *pager, struct client *client, uint64_t start, uint64_t end);
/* Make region boundaries at start and end, if a region straddles them. 0 or -ENOMEM. */
int region_cut(struct pager *pager, struct client *client, uint64_t start, uint64_t end);
/* The part of [page, page + count) that region maps; false if none. */
bool region_overlap(const struct region *region, uint64_t page, uint64_t count, uint64_t *first,
		    uint64_t *pages);

#endif
