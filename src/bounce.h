/* SPDX-License-Identifier: MIT */
/*
 * Bounce memory: page-aligned buffers that block I/O reads into and writes from.
 *
 * One contiguous area, handed out in runs of whole pages (so that a run is one I/O), lowest first:
 * what never was needed at the same time is never touched, and takes no memory. Owned by the
 * pager's thread. Nothing here allocates after bounce_init.
 */
#ifndef PAGERD_BOUNCE_H
#define PAGERD_BOUNCE_H

#include <stddef.h>
#include <stdint.h>

struct bounce {
	unsigned char *base; /* page-aligned */
	uint32_t pages;
	uint32_t free_pages;
	uint64_t *map; /* one bit a page, 1 = free */
};

/* A block is a huge page, where there are any, and no run crosses its end. */
#define BOUNCE_BLOCK 512u

#define BOUNCE_NONE UINT32_MAX

/* Reserve pages (a multiple of 64) of bounce memory. 0 or -ENOMEM. */
int bounce_init(struct bounce *bounce, uint32_t pages);
void bounce_finish(struct bounce *bounce);

/* Allocate count contiguous pages, at most a block: the index of the first, or BOUNCE_NONE. */
uint32_t bounce_alloc(struct bounce *bounce, uint32_t count);
/* Free count pages from first on: a whole run or any part of one. */
void bounce_free(struct bounce *bounce, uint32_t first, uint32_t count);

static inline unsigned char *bounce_address(const struct bounce *bounce, uint32_t page)
{
	return bounce->base + ((size_t)page << 12);
}

#endif
