/* SPDX-License-Identifier: MIT */
/*
 * The reclaimer: works ahead of demand, in batches, asynchronously.
 *
 * Victims come from the policy. Clean ones are dropped at once; dirty ones are laundered (see
 * io_write_*) and dropped when their write has ended, if nobody wrote to them meanwhile.
 */
#ifndef PAGERD_PAGEOUT_H
#define PAGERD_PAGEOUT_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct pool;
struct object;

/* Pages dropped together. glibc's qsort_r takes memory from the heap for 1024 bytes and more. */
#define DROP_PAGES 255u

/* Largest batch of victims; bounds how long faults wait behind reclaim. */
#define PAGEOUT_BATCH 128u

/* Bring free frames, and pools over their limit, towards their targets; does at most one batch.
 * Returns whether there is more that could be done now. */
bool pageout_run(struct pager *pager);
/* The same, but looking at every page of every pool that has to give some, rather than at the next
 * victims only. */
bool pageout_all(struct pager *pager);
/* May so many frames be taken in a pool before reclaim would want to free some? */
bool pageout_spares(struct pager *pager, uint32_t pool, uint32_t frames);
/* A write-back of this frame's page ended well and the frame is FRAME_RECLAIM and clean: queue
 * it for pageout_drop_queued. */
void pageout_queue_drop(struct pager *pager, uint32_t frame);
/* Drop what was queued, in runs; many pages leave later (see drop.h). */
void pageout_drop_queued(struct pager *pager);
/* The same, and wait until they have left. */
void pageout_settle(struct pager *pager);
/* Evict the resident pages of [page, page + count) now (MADV_PAGEOUT). */
void pageout_range(struct pager *pager, struct object *object, uint64_t page, uint64_t count);

/* The frame's page leaves: count it. */
void pageout_count(struct pager *pager, struct object *object, const struct frame *frame);

#endif
