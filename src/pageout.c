/* SPDX-License-Identifier: MIT */
/* The reclaimer: works ahead of demand, in batches, asynchronously. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* While faults wait for reads a turn picks fewer victims: a device has answered by the time that a
 * whole batch takes, and would have nothing to do. What is read ahead can wait. */
#define PAGEOUT_STEP (PAGEOUT_BATCH / 8)
/* Where so many victims in a row were used and kept, the others go without being looked at. */
#define KEPT_MOST (4 * PAGEOUT_BATCH)

/* So many victims in a row speak for a run of writes. */
#define CLUSTER_LEAST 8u

/* Fewer pages are not worth waking another thread. */
#define LATER_LEAST 8u

/* Its pages, parked ones apart (see lapse.h). */
static uint32_t pool_pages(const struct pager *pager, const struct pool *pool)
{
	uint32_t known = (uint32_t)pool->ops->held(pool->policy) + pool->reclaiming;
	return pager->lapses ? known : pool->used_pages;
}

/* The last so many pages that were brought in stay, whatever the policy thinks, so that the
 * accesses that wait for them can be made: an instruction may need several at once. A part of what
 * the pool has, not of what it may have: all pools together may have more than there is. */
static uint32_t grace(const struct pager *pager, const struct pool *pool)
{
	uint32_t capacity = pool_capacity(pager, pool), pages = pool_pages(pager, pool);
	uint32_t share = (pages < capacity ? pages : capacity) / 4;
	return chaos_grace(pager, share < 1024 ? share : 1024);
}

/* The watermarks: below low reclaim begins, and goes on until high frames are free. */
static uint32_t watermark(uint32_t capacity, bool high)
{
	uint32_t share = capacity / 16 < 2048 ? capacity / 16 : 2048;
	return high ? share : share / 2 + 1;
}

static uint32_t beyond(uint32_t used, uint32_t bound)
{
	return used > bound ? used - bound : 0;
}

/* Frames to free of used under bound, with those on their way out counted as free. */
static uint32_t need_of(const struct pager *pager, uint32_t used, uint32_t bound,
			uint32_t reclaiming)
{
	uint32_t coming = used > reclaiming ? used - reclaiming : 0;
	if (pager->config.reclaim_on_demand)
		return beyond(coming + (pager->shortage.waiting.count > 0), bound);
	if (coming + watermark(bound, false) <= bound)
		return 0;
	return beyond(coming + watermark(bound, true), bound);
}

static uint32_t pool_need(const struct pager *pager, const struct pool *pool)
{
	uint32_t coming = shortage_stalled(pager) ? 0 : pool->reclaiming;
	return pool->limit_pages ? need_of(pager, pool->used_pages, pool->limit_pages, coming) : 0;
}

static uint32_t budget_need(struct pager *pager)
{
	return need_of(pager, pager->used_pages, chaos_bound(pager, pager->budget_pages),
		       shortage_stalled(pager) ? 0 : pager->reclaiming);
}

static uint32_t spare_of(uint32_t used, uint32_t bound)
{
	return beyond(bound, used + watermark(bound, true));
}

bool pageout_spares(struct pager *pager, uint32_t number, uint32_t frames)
{
	const struct pool *pool = &pager->pools[number];
	while (spare_of(pager->used_pages, pager->budget_pages) < frames)
		if (!share_grow(pager, 0))
			return false;
	while (pool->limit_pages && spare_of(pool->used_pages, pool->limit_pages) < frames)
		if (!share_grow(pager, number))
			return false;
	return true;
}

static uint32_t pool_largest(const struct pager *pager)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < pager->pool_end; i++)
		if (pager->pools[i].active &&
		    pool_pages(pager, &pager->pools[i]) > pool_pages(pager, &pager->pools[best]))
			best = i;
	return best;
}

/* Whether the budget was raised. Not for chaos, which wants more free than there need be. */
static bool budget_grows(struct pager *pager)
{
	uint32_t coming = shortage_stalled(pager) ? 0 : pager->reclaiming;
	return pager->pools[0].share.account.bank &&
	       need_of(pager, pager->used_pages, pager->budget_pages, coming) &&
	       share_grow(pager, 0);
}

/* What the budget wants, then what a limit does: pages that a bank still has come before either. */
static uint32_t budget_wants(struct pager *pager)
{
	uint32_t need = budget_need(pager);
	return need && budget_grows(pager) ? budget_need(pager) : need;
}

static uint32_t limit_wants(struct pager *pager, uint32_t number)
{
	const struct pool *pool = &pager->pools[number];
	uint32_t need = pool->active ? pool_need(pager, pool) : 0;
	return need && share_grow(pager, number) ? pool_need(pager, pool) : need;
}

/* ---- dropping ---------------------------------------------------------------------------- */

void pageout_queue_drop(struct pager *pager, uint32_t frame)
{
	pager->drop_queue[pager->drop_count++] = frame;
	if (pager->drop_count == DROP_PAGES)
		pageout_drop_queued(pager);
}

void pageout_count(struct pager *pager, struct object *object, const struct frame *frame)
{
	struct client *client = client_lookup(pager, frame->client);
	access_evicted(pager, 1);
	if (frame->flags & FRAME_LAUNDRY)
		COUNT(pager, client, object, evicted_dirty, 1);
	else
		COUNT(pager, client, object, evicted_clean, 1);
}

/* The entry first, then the page: a taker-over between the two finds the slot recorded. */
static void drop_run(struct pager *pager, const uint32_t *frames, uint32_t count, bool later)
{
	struct frame *first = frame_get(pager, frames[0]);
	struct object *object = object_lookup(pager, frame_object(first));
	uint64_t page = frame_page(first);
	if (object_is_private(object)) {
		private_drop(pager, object, frames, count);
		return;
	}
	if (later && drop_later(pager, object, frames, count))
		return;
	for (uint32_t i = 0; i < count; i++)
		object->table[page + i] = pte_away(frame_get(pager, frames[i])->slot);
	object->resident_pages -= count;
	fallocate(object->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)(page << PAGE_SHIFT), (off_t)count << PAGE_SHIFT);
	for (uint32_t i = 0; i < count; i++) {
		pageout_count(pager, object, frame_get(pager, frames[i]));
		frame_free(pager, frames[i], true);
	}
}

/* Written or wired since it was queued, or needed where it is? Then it stays. */
static bool drop_allowed(struct pager *pager, uint32_t number)
{
	struct frame *frame = frame_get(pager, number);
	struct object *object = object_lookup(pager, frame_object(frame));
	if (!(object_pte(object, frame_page(frame)) & PTE_DIRTY) &&
	    !wired_page(pager, object, frame_page(frame)) &&
	    !board_pinned(object, frame_page(frame)))
		return true;
	frame_keep(pager, number);
	return false;
}

void pageout_drop_queued(struct pager *pager)
{
	uint32_t *queue = pager->drop_queue, count = 0;
	for (uint32_t i = 0; i < pager->drop_count; i++)
		if (drop_allowed(pager, queue[i]))
			queue[count++] = queue[i];
	pager->drop_count = 0;
	frame_sort(pager, queue, count);
	for (uint32_t i = 0, run; i < count; i += run) {
		run = frame_run(pager, queue + i, count - i);
		drop_run(pager, queue + i, run, count >= LATER_LEAST);
	}
	drop_begin(pager);
}

void pageout_settle(struct pager *pager)
{
	pageout_drop_queued(pager);
	worker_settle(pager);
}

/* ---- choosing ---------------------------------------------------------------------------- */

enum victim {
	VICTIM_STAYS, /* cannot go yet */
	VICTIM_LATE,  /* nor can others that only its client can save */
	VICTIM_USED,  /* since it was probed, or written again while its last contents go out */
	VICTIM_CLEAN,
	VICTIM_DIRTY,
	VICTIM_WAITS, /* for a write that is in flight already */
};

static enum victim victim_kind(struct pager *pager, uint32_t number, bool forced)
{
	struct frame *frame = frame_get(pager, number);
	struct object *object = object_lookup(pager, frame_object(frame));
	uint64_t pte = object_pte(object, frame_page(frame));
	if (frame->flags & FRAME_USED)
		return VICTIM_USED;
	if (wired_page(pager, object, frame_page(frame)))
		return VICTIM_STAYS;
	if (object_is_private(object) && !private_ready(pager, object))
		return lapse_now(pager, object->client) ? VICTIM_LATE : VICTIM_STAYS;
	const struct pool *pool = &pager->pools[frame->pool];
	if (!forced && pool->tick - frame->tick < grace(pager, pool))
		return VICTIM_STAYS;
	if (pte & PTE_DIRTY && !shortage_may_write(pager))
		return VICTIM_STAYS;
	if (pte & PTE_DIRTY && frame->flags & FRAME_WRITEBACK)
		return VICTIM_USED;
	if (frame->flags & FRAME_WRITEBACK)
		return VICTIM_WAITS;
	return pte & PTE_DIRTY ? VICTIM_DIRTY : VICTIM_CLEAN;
}

static bool launder_along(struct pager *pager, uint64_t pte)
{
	uint32_t number = (uint32_t)pte_number(pte);
	return pte_state(pte) == PAGE_RESIDENT &&
	       !(frame_get(pager, number)->flags & FRAME_RECLAIM) &&
	       victim_kind(pager, number, false) == VICTIM_DIRTY;
}

/*
 * Write the first of the frames, which are sorted: those that can go in one transfer. Where they
 * are a run of a file, dirty pages behind it that could be picked as well are written along, as
 * they are going to be: a turn picks few, and a disk wants long writes. Returns how many of frames
 * were taken, or 0 and io_write's error.
 */
static uint32_t launder_run(struct pager *pager, const uint32_t *frames, uint32_t count, int *error)
{
	const struct frame *first = frame_get(pager, frames[0]);
	const struct object *object = object_lookup(pager, frame_object(first));
	uint32_t victims = frame_run(pager, frames, count), run[IO_PAGES];
	if (!object_is_file(object) || victims < CLUSTER_LEAST)
		return io_write(pager, frames, count, NULL, error);
	uint32_t length = victims;
	memcpy(run, frames, victims * sizeof *run);
	for (uint64_t page; length < IO_PAGES; length++) {
		page = frame_page(first) + length;
		if (page >= object->capacity_pages ||
		    !launder_along(pager, object_pte(object, page)))
			break;
		run[length] = (uint32_t)pte_number(object_pte(object, page));
	}
	uint32_t taken = io_write(pager, run, length, NULL, error);
	return taken < victims ? taken : victims;
}

/* Write the dirty ones. Those that cannot be written now are moved to the front of
 * frames; returns how many. */
static uint32_t launder(struct pager *pager, uint32_t *frames, uint32_t count)
{
	uint32_t left = 0;
	frame_sort(pager, frames, count);
	for (uint32_t i = 0, taken; i < count; i += taken) {
		int error = -EAGAIN;
		taken = shortage_may_write(pager)
				? launder_run(pager, frames + i, count - i, &error)
				: 0;
		if (taken)
			continue;
		frames[left++] = frames[i];
		taken = 1;
		if (error == -ENOSPC) /* no slot: only clean pages can go for now */
			shortage_write_failed(pager, error);
	}
	return left;
}

/* Evict frames that are isolated, as far as they can go; the others are kept or put aside. Returns
 * how many leave. */
static uint32_t evict(struct pager *pager, const uint32_t *frames, uint32_t count, uint32_t *kept,
		      uint32_t *aside)
{
	uint32_t dirty[PAGEOUT_BATCH], dirty_count = 0, leaving = 0, left;
	if (*kept < KEPT_MOST)
		access_victims(pager, frames, count);
	for (uint32_t i = 0; i < count; i++) {
		switch (victim_kind(pager, frames[i], false)) {
		case VICTIM_STAYS:
			pager->aside[(*aside)++] = frames[i];
			continue;
		case VICTIM_LATE:
			frame_park(pager, frames[i]);
			continue;
		case VICTIM_USED:
			frame_keep(pager, frames[i]);
			++*kept;
			continue;
		case VICTIM_DIRTY:
			frame_get(pager, frames[i])->flags |= FRAME_LAUNDRY;
			dirty[dirty_count++] = frames[i];
			continue;
		case VICTIM_CLEAN:
			pageout_queue_drop(pager, frames[i]);
			break;
		case VICTIM_WAITS:
			break;
		}
		leaving++;
	}
	left = launder(pager, dirty, dirty_count);
	for (uint32_t i = 0; i < left; i++)
		pager->aside[(*aside)++] = dirty[i];
	pageout_drop_queued(pager);
	return leaving + dirty_count - left;
}

/* On demand, the page that is picked is the one that leaves, and may have to wait for its slot. */
static bool pick_waits(const struct pager *pager)
{
	return pager->config.reclaim_on_demand && swap_waits(pager);
}

/* Pick victims of a pool until need of them leave, as many as most stay, or there are no more. */
static uint32_t pool_evict(struct pager *pager, struct pool *pool, uint32_t need, uint32_t most)
{
	uint32_t victims[PAGEOUT_BATCH], leaving = 0, aside = 0, count = 1;
	uint32_t kept = pager->desperate ? KEPT_MOST : 0, parked = pager->parked_count;
	/* Once through all: those that are in use and kept may be all that it holds. */
	uint32_t left = pool_held(pager, pool);
	while (count && left && leaving < need && aside + (pager->parked_count - parked) < most &&
	       io_write_room(pager) && !pick_waits(pager)) {
		count = need - leaving < PAGEOUT_BATCH ? need - leaving : PAGEOUT_BATCH;
		count = pool_victims(pager, pool, victims, count < left ? count : left);
		left -= count;
		leaving += evict(pager, victims, count, &kept, &aside);
	}
	while (aside)
		frame_restore(pager, pager->aside[--aside]);
	return leaving;
}

/* Those that have only just come do not keep it from finding others. */
static uint32_t pool_evict_some(struct pager *pager, struct pool *pool, uint32_t need)
{
	return pool_evict(pager, pool, need, grace(pager, pool) + PAGEOUT_BATCH);
}

static uint32_t turn_most(const struct pager *pager, uint32_t need)
{
	uint32_t most = pager->io_demands ? PAGEOUT_STEP : PAGEOUT_BATCH;
	return need < most ? need : most;
}

static uint32_t budget_evict(struct pager *pager, uint32_t need)
{
	uint32_t leaving = pool_evict_some(pager, &pager->pools[pool_largest(pager)], need);
	/* Those of the largest pool may all be on their way out already, for long. */
	for (uint32_t i = 0;
	     !leaving && shortage_stalled(pager) && budget_need(pager) && i < pager->pool_end; i++)
		if (pager->pools[i].active)
			leaving = pool_evict_some(pager, &pager->pools[i], need);
	return leaving;
}

/* Of the first pool that has more than its limit and from which some can leave: all that others
 * have may be locked, or only for a client that is late to save. */
static bool limits_evict(struct pager *pager)
{
	uint32_t parked = pager->parked_count, leaving = 0;
	for (uint32_t i = 1; !leaving && i < pager->pool_end; i++) {
		uint32_t need = limit_wants(pager, i);
		if (need && io_unstage_dead(pager))
			return true;
		if (need)
			leaving = pool_evict_some(pager, &pager->pools[i], turn_most(pager, need));
	}
	return leaving > 0 || pager->parked_count > parked;
}

bool pageout_run(struct pager *pager)
{
	uint32_t need = budget_wants(pager), parked = pager->parked_count;
	if (!need)
		return limits_evict(pager);
	if (io_unstage_dead(pager))
		return true;
	return budget_evict(pager, turn_most(pager, need)) > 0 || pager->parked_count > parked;
}

bool pageout_all(struct pager *pager)
{
	uint32_t need = budget_need(pager), leaving = 0;
	pager->desperate = true;
	for (uint32_t i = 0; i < pager->pool_end && !leaving; i++) {
		struct pool *pool = &pager->pools[i];
		uint32_t own = pool->active ? pool_need(pager, pool) : 0;
		if (pool->active && (need || own))
			leaving = pool_evict(pager, pool, need > own ? need : own, UINT32_MAX);
	}
	pager->desperate = false;
	return leaving > 0;
}

static void launder_forced(struct pager *pager, uint32_t *frames, uint32_t count)
{
	uint32_t left = launder(pager, frames, count);
	while (left)
		frame_restore(pager, frames[--left]);
}

void pageout_range(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	uint32_t dirty[PAGEOUT_BATCH], dirty_count = 0;
	for (uint64_t end = page + count; page < end; page++) {
		uint64_t pte = object_pte(object, page);
		uint32_t number = (uint32_t)pte_number(pte);
		if (pte_state(pte) != PAGE_RESIDENT ||
		    frame_get(pager, number)->flags & FRAME_RECLAIM)
			continue;
		enum victim kind = victim_kind(pager, number, true);
		if (kind != VICTIM_CLEAN && kind != VICTIM_DIRTY && kind != VICTIM_WAITS)
			continue;
		frame_isolate(pager, number, true);
		if (kind == VICTIM_CLEAN) {
			pageout_queue_drop(pager, number);
		} else if (kind == VICTIM_DIRTY) {
			frame_get(pager, number)->flags |= FRAME_LAUNDRY;
			dirty[dirty_count++] = number;
		}
		if (dirty_count == PAGEOUT_BATCH) {
			launder_forced(pager, dirty, dirty_count);
			dirty_count = 0;
		}
	}
	launder_forced(pager, dirty, dirty_count);
	pageout_drop_queued(pager);
}
