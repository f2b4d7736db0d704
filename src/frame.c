/* SPDX-License-Identifier: MIT */
/* Frames: the budget. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

static_assert(POOL_MAX <= 1u << 12 && IO_COUNT <= 1u << 9 && FRAME_GUESSED < 1u << 11,
	      "they fit into struct frame");

/* The budget can be raised while running, up to the machine's memory. */
static uint32_t frame_limit(uint64_t budget_pages)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);
	if (pages < budget_pages)
		pages = budget_pages;
	return pages < FRAME_NONE - 1 ? (uint32_t)pages : FRAME_NONE - 1;
}

int frame_table_init(struct pager *pager)
{
	pager->frame_limit = frame_limit(pager->budget_pages);
	pager->frame_free = FRAME_NONE;
	pager->dirty_head = pager->dirty_tail = FRAME_NONE;
	pager->frames = memory_reserve(pager->frame_limit * sizeof *pager->frames);
	pager->dirt = memory_reserve(pager->frame_limit * sizeof *pager->dirt);
	pager->aside = memory_reserve(pager->frame_limit * sizeof *pager->aside);
	pager->parked = memory_reserve(pager->frame_limit * sizeof *pager->parked);
	if (!pager->frames || !pager->dirt || !pager->aside || !pager->parked)
		return -ENOMEM;
	return 0;
}

void frame_table_finish(struct pager *pager)
{
	memory_release(pager->frames, pager->frame_limit * sizeof *pager->frames);
	memory_release(pager->dirt, pager->frame_limit * sizeof *pager->dirt);
	memory_release(pager->aside, pager->frame_limit * sizeof *pager->aside);
	memory_release(pager->parked, pager->frame_limit * sizeof *pager->parked);
}

uint32_t frame_available(const struct pager *pager, const struct client *client,
			 const struct object *object)
{
	const struct pool *pool = &pager->pools[pool_number(client, object)];
	uint32_t budget = pager->budget_pages + pager->shortage.loan_pages;
	uint32_t available = budget > pager->used_pages ? budget - pager->used_pages : 0;
	if (pool->limit_pages) {
		uint32_t limit = pool->limit_pages + pager->shortage.loan_pages;
		uint32_t own = limit > pool->used_pages ? limit - pool->used_pages : 0;
		available = own < available ? own : available;
	}
	return available;
}

uint32_t frame_alloc(struct pager *pager, const struct client *client, const struct object *object,
		     uint64_t page)
{
	if (!frame_available(pager, client, object))
		return FRAME_NONE;
	struct pool *pool = pool_of(pager, client, object);
	uint32_t number = pager->frame_free;
	if (number != FRAME_NONE)
		pager->frame_free = pager->frames[number].tick;
	else if (pager->frame_fresh < pager->frame_limit)
		number = pager->frame_fresh++;
	else
		return FRAME_NONE;
	pager->frames[number] = (struct frame){
		.id = page_identity(object->number, page),
		.slot = SLOT_NONE,
		.client = client->number,
		.tick = pool->tick++,
		.pool = (uint32_t)(pool - pager->pools),
	};
	pager->used_pages++;
	pager->frames_taken++;
	if (pager->used_pages > pager->resident_max_pages)
		pager->resident_max_pages = pager->used_pages;
	pool->used_pages++;
	struct client *owner = client_lookup(pager, client->number);
	if (++owner->stats.resident_pages > owner->stats.resident_max_pages)
		owner->stats.resident_max_pages = owner->stats.resident_pages;
	return number;
}

void frame_demand(struct pager *pager, const struct client *client, const struct object *object,
		  uint64_t page)
{
	const struct pool *pool = &pager->pools[pool_number(client, object)];
	if (pool->ops->demand)
		pool->ops->demand(pool->policy, page_identity(object->number, page));
}

void frame_referenced(struct pager *pager, uint32_t number)
{
	const struct frame *frame = frame_get(pager, number);
	struct pool *pool = &pager->pools[frame->pool];
	if (frame->flags & FRAME_HELD)
		pool->ops->referenced(pool->policy, number);
}

static int frame_order(const void *a, const void *b, void *context)
{
	const struct frame *x = frame_get(context, *(const uint32_t *)a);
	const struct frame *y = frame_get(context, *(const uint32_t *)b);
	return x->id < y->id ? -1 : x->id > y->id;
}

void frame_sort(struct pager *pager, uint32_t *frames, uint32_t count)
{
	qsort_r(frames, count, sizeof *frames, frame_order, pager);
}

uint32_t frame_run(struct pager *pager, const uint32_t *frames, uint32_t count)
{
	pagerd_page_t first = frame_get(pager, frames[0])->id;
	uint32_t run = 1;
	while (run < count && frame_get(pager, frames[run])->id == first + run)
		run++;
	return run;
}

void frame_hold(struct pager *pager, uint32_t number, bool prefetched)
{
	struct frame *frame = frame_get(pager, number);
	struct pool *pool = &pager->pools[frame->pool];
	frame->flags |= FRAME_HELD;
	pool->ops->page_in(pool->policy, number, frame->id, prefetched);
	/* What comes in by a run is used when the run gets there, and mapped until then: a probe
	 * would learn nothing, and cost a fault. The hand comes to it. */
	if (!prefetched)
		access_page_in(pager, number);
}

/* It is not on its way out any more. */
static void reclaim_end(struct pager *pager, struct frame *frame)
{
	if (frame->flags & FRAME_RECLAIM) {
		pager->reclaiming--;
		pager->pools[frame->pool].reclaiming--;
	}
	frame->flags &= (uint16_t) ~(FRAME_RECLAIM | FRAME_LAUNDRY | FRAME_USED);
}

void frame_free(struct pager *pager, uint32_t number, bool evicted)
{
	struct frame *frame = frame_get(pager, number);
	struct pool *pool = &pager->pools[frame->pool];
	struct client *client = client_lookup(pager, frame->client);
	if (frame->flags & FRAME_HELD) {
		if (evicted)
			pool->ops->page_out(pool->policy, number);
		else
			pool->ops->forget(pool->policy, number);
	}
	reclaim_end(pager, frame);
	if (client)
		client->stats.resident_pages--;
	pool->used_pages--;
	pager->used_pages--;
	frame->id = 0;
	frame->flags = 0;
	frame->tick = pager->frame_free;
	pager->frame_free = number;
	shortage_frame_freed(pager);
}

void frame_isolate(struct pager *pager, uint32_t number, bool forced)
{
	struct frame *frame = frame_get(pager, number);
	struct pool *pool = &pager->pools[frame->pool];
	if (forced) {
		pool->ops->forget(pool->policy, number);
		frame->flags &= (uint16_t)~FRAME_HELD;
	}
	frame->flags |= FRAME_RECLAIM;
	pager->reclaiming++;
	pool->reclaiming++;
}

/* Whether the policy holds it, isolated. */
static bool frame_return(struct pager *pager, uint32_t number)
{
	struct frame *frame = frame_get(pager, number);
	reclaim_end(pager, frame);
	if (frame->flags & FRAME_HELD)
		return true;
	frame_hold(pager, number, false);
	return false;
}

void frame_keep(struct pager *pager, uint32_t number)
{
	struct pool *pool = &pager->pools[frame_get(pager, number)->pool];
	if (frame_return(pager, number))
		pool->ops->keep(pool->policy, number);
}

void frame_restore(struct pager *pager, uint32_t number)
{
	struct pool *pool = &pager->pools[frame_get(pager, number)->pool];
	if (frame_return(pager, number))
		pool->ops->restore(pool->policy, number);
}

void frame_park(struct pager *pager, uint32_t number)
{
	struct frame *frame = frame_get(pager, number);
	struct pool *pool = &pager->pools[frame->pool];
	if (frame->flags & FRAME_HELD)
		pool->ops->forget(pool->policy, number);
	frame->flags &= (uint16_t)~FRAME_HELD;
	reclaim_end(pager, frame);
	if (pager->parked_count < pager->frame_limit)
		pager->parked[pager->parked_count] = number;
	pager->parked_count++;
}

void frame_move(struct pager *pager, uint32_t number, uint32_t pool)
{
	struct frame *frame = frame_get(pager, number);
	struct pool *from = &pager->pools[frame->pool], *to = &pager->pools[pool];
	bool held = frame->flags & FRAME_HELD;
	if (held)
		from->ops->forget(from->policy, number);
	from->used_pages--;
	to->used_pages++;
	if (frame->flags & FRAME_RECLAIM) {
		from->reclaiming--;
		to->reclaiming++;
	}
	frame->pool = pool;
	frame->tick = to->tick - UINT32_MAX / 2; /* not fresh: no grace */
	if (held && frame->flags & FRAME_RECLAIM)
		frame->flags &= (uint16_t)~FRAME_HELD;
	else if (held)
		to->ops->page_in(to->policy, number, frame->id, false);
}

/* ---- dirty frames ------------------------------------------------------------------------ */

static void dirty_link(struct pager *pager, uint32_t number)
{
	pager->dirt[number] = (struct frame_dirt){
		.prev = pager->dirty_tail,
		.next = FRAME_NONE,
		.since_ms = (uint32_t)((pager->now_ns - pager->start_ns) / 1000000),
	};
	if (pager->dirty_tail == FRAME_NONE)
		pager->dirty_head = number;
	else
		pager->dirt[pager->dirty_tail].next = number;
	pager->dirty_tail = number;
}

static void dirty_unlink(struct pager *pager, uint32_t number)
{
	const struct frame_dirt *dirt = &pager->dirt[number];
	if (dirt->prev == FRAME_NONE)
		pager->dirty_head = dirt->next;
	else
		pager->dirt[dirt->prev].next = dirt->next;
	if (dirt->next == FRAME_NONE)
		pager->dirty_tail = dirt->prev;
	else
		pager->dirt[dirt->next].prev = dirt->prev;
}

void frame_dirty(struct pager *pager, struct object *object, uint64_t page)
{
	uint64_t pte = object_pte(object, page);
	uint32_t number = (uint32_t)pte_number(pte);
	struct frame *frame = frame_get(pager, number);
	struct pool *pool = &pager->pools[frame->pool];
	frame->flags &= (uint16_t)~FRAME_GUESSED;
	if (pte & PTE_DIRTY)
		return;
	object->table[page] = pte | PTE_DIRTY;
	if (frame->slot != SLOT_NONE) {
		slot_unref(&pager->slots, frame->slot);
		frame->slot = SLOT_NONE;
		object->swap_pages--;
	}
	if (object_is_file(object))
		dirty_link(pager, number);
	object->dirty_pages++;
	board_update(object);
	if (frame->flags & FRAME_HELD && pool->ops->dirtied)
		pool->ops->dirtied(pool->policy, number);
}

void frame_clean(struct pager *pager, struct object *object, uint64_t page)
{
	uint64_t pte = object_pte(object, page);
	uint32_t number = (uint32_t)pte_number(pte);
	object->table[page] = pte & ~PTE_DIRTY;
	frame_get(pager, number)->flags &= (uint16_t)~FRAME_GUESSED;
	if (object_is_file(object))
		dirty_unlink(pager, number);
	object->dirty_pages--;
	board_update(object);
}
