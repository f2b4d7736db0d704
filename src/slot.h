/* SPDX-License-Identifier: MIT */
/*
 * Slots: which pages of the swap file are in use, and by how many.
 *
 * Slots are numbered from 0; slot s is at byte s * 4096 of the swap file. They are handed out in
 * contiguous runs, from clusters of SLOT_CLUSTER slots that are wholly free where there are any,
 * so that what is evicted together is written, and later read, together. A slot is
 * reference-counted (after fork parent and child share it). The map grows with use; this file
 * does no I/O (swap.c sizes the file). Owned by the pager's thread.
 */
#ifndef PAGERD_SLOT_H
#define PAGERD_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_CLUSTER 256u		/* 1 MiB */
#define SLOT_NONE    ((1ull << 40) - 1) /* 40 bits, as in struct frame */

struct slot_map {
	uint16_t *count;	/* references, one a slot; 0 = free; lazily backed reservation */
	uint16_t *cluster_used; /* slots in use, one a cluster; lazily backed reservation */
	uint64_t limit;		/* slots that may exist now, a multiple of SLOT_CLUSTER; may be set
				 * to any other that is not above what slot_init was given: no
				 * slot at or above it is handed out */
	uint64_t end;		/* slots below this have been handed out at least once */
	uint64_t used;		/* slots with count > 0 */
	uint64_t unused;	/* clusters below end with no slot in use */
	uint64_t cursor;	/* where the current cluster goes on */
};

/* limit: slots that may ever exist, rounded down to clusters; below 2^40. Costs address space
 * only. 0, -EINVAL (less than a cluster) or -ENOMEM. */
int slot_init(struct slot_map *map, uint64_t limit);
void slot_finish(struct slot_map *map);

/* Allocate up to want (1 .. SLOT_CLUSTER) contiguous slots with count 1. Stores the first in
 * *first and returns how many: fewer than want if no longer run is near, 0 if all are in use.
 * O(1) amortised while wholly free clusters exist; a search that remembers its place after. */
uint32_t slot_alloc(struct slot_map *map, uint32_t want, uint64_t *first);
/* One more reference. 0, or -EOVERFLOW when the count is at its end (65535). */
int slot_ref(struct slot_map *map, uint64_t slot);
/* Whether there can be more of them (SLOT_NONE: any number). */
bool slot_shareable(const struct slot_map *map, uint64_t slot, uint32_t more);
/* One reference fewer. */
void slot_unref(struct slot_map *map, uint64_t slot);
/* Of the first so many slots, which are whole clusters: where the free ones at their end begin. */
uint64_t slot_tail(const struct slot_map *map, uint64_t slots);
/* Only the first so many slots are left, whole clusters: none behind them is in use. */
void slot_cut(struct slot_map *map, uint64_t slots);
/* Clusters below the limit that are wholly free; the limit must not be below end. */
uint64_t slot_clusters(const struct slot_map *map);

#endif
