/* SPDX-License-Identifier: MIT */
/* The invariant checker: walks all tables and names what does not hold. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core.h"

struct checker {
	struct pager *pager;
	unsigned broken;
	uint8_t *seen; /* one byte a frame */
	uint64_t slots;
	struct object *object;
	uint64_t resident, dirty, swapped;
	uint32_t idle, file_writes;
};

__attribute__((format(printf, 2, 3))) static void broken(struct checker *c, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "pagerd: invariant broken: ");
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	c->broken++;
}

static void check_slot(struct checker *c, uint64_t page, uint64_t slot)
{
	if (slot == SLOT_NONE)
		return;
	c->swapped++;
	if (slot >= c->pager->slots.end || !c->pager->slots.count[slot])
		broken(c, "object %u page %lu: slot %lu is free", c->object->number, page, slot);
}

static void check_frame(struct checker *c, uint64_t page, uint64_t pte)
{
	uint32_t number = (uint32_t)pte_number(pte);
	struct pager *pager = c->pager;
	if (number >= pager->frame_fresh) {
		broken(c, "object %u page %lu: no frame %u", c->object->number, page, number);
		return;
	}
	struct frame *frame = frame_get(pager, number);
	if (frame_object(frame) != c->object->number || frame_page(frame) != page)
		broken(c, "object %u page %lu: frame %u is of object %u page %lu",
		       c->object->number, page, number, frame_object(frame), frame_page(frame));
	if (c->seen[number]++)
		broken(c, "frame %u stands in two entries", number);
	check_slot(c, page, frame->slot);
	if (pte & PTE_DIRTY && frame->slot != SLOT_NONE)
		broken(c, "object %u page %lu: dirty and has a slot", c->object->number, page);
	if (frame->flags & FRAME_GUESSED && !(pte & PTE_DIRTY && object_is_file(c->object)))
		broken(c, "object %u page %lu: guessed, not dirty or no file's", c->object->number,
		       page);
	if (frame->flags & FRAME_ORPHAN)
		broken(c, "object %u page %lu: frame %u is an orphan", c->object->number, page,
		       number);
}

static void check_page(struct checker *c, uint64_t page)
{
	uint64_t pte = object_pte(c->object, page);
	if (pte & PTE_DIRTY && pte_state(pte) != PAGE_RESIDENT)
		broken(c, "object %u page %lu: dirty, not resident", c->object->number, page);
	switch (pte_state(pte)) {
	case PAGE_ABSENT:
		break;
	case PAGE_SWAPPED:
		if (pte & (PTE_SEEN | PTE_ZERO))
			broken(c, "object %u page %lu: swapped, and its parent's",
			       c->object->number, page);
		check_slot(c, page, pte_number(pte));
		break;
	case PAGE_RESIDENT:
		c->resident++;
		c->dirty += !!(pte & PTE_DIRTY);
		/* fall through */
	case PAGE_READING:
		check_frame(c, page, pte);
		break;
	}
	if (object_is_private(c->object))
		return;
	/* O1: resident if and only if the memfd has it. */
	off_t at = (off_t)(page << PAGE_SHIFT);
	bool has = lseek(c->object->memfd, at, SEEK_DATA) == at;
	if (has != (pte_state(pte) == PAGE_RESIDENT))
		broken(c, "object %u page %lu: state %d, memfd %s it", c->object->number, page,
		       pte_state(pte), has ? "has" : "lacks");
}

static void check_idle(struct checker *c, const struct object *object)
{
	if (object->region_count || object->holds || object->dirty_pages || object->closing ||
	    object->writable || object->pool)
		broken(c, "object %u: kept, with %u regions, %u holds, %lu dirty, %s, pool %u",
		       object->number, object->region_count, object->holds, object->dirty_pages,
		       object->closing ? "closing" : "not closing", object->pool);
}

static void check_object(struct checker *c, struct object *object)
{
	c->object = object;
	c->resident = c->dirty = c->swapped = 0;
	for (uint64_t page = object_next_armed(object, 0); page < object->capacity_pages;
	     page = object_next_armed(object, page + 1))
		check_page(c, page);
	if (c->resident != object->resident_pages)
		broken(c, "object %u: %lu resident, counted %lu", object->number,
		       object->resident_pages, c->resident);
	if (c->dirty != object->dirty_pages)
		broken(c, "object %u: %lu dirty, counted %lu", object->number, object->dirty_pages,
		       c->dirty);
	if (c->swapped != object->swap_pages)
		broken(c, "object %u: %lu slots, counted %lu", object->number, object->swap_pages,
		       c->swapped);
	c->slots += c->swapped;
	const struct pagerd_board *head = object->board ? object->board->head : NULL;
	if (head && (head->dirty != object->dirty_pages || head->writing != object->writes ||
		     head->pages != object->capacity_pages || (object->frozen && !head->held)))
		broken(c, "object %u: its board is wrong", object->number);
	uint32_t privates = 0;
	for (uint32_t i = object->privates; i; i = c->pager->objects[i]->private_next)
		privates += c->pager->objects[i]->base == object->number;
	if (privates != object->private_count || privates > object->holds)
		broken(c, "object %u: %u private objects, counted %u, %u holds", object->number,
		       privates, object->private_count, object->holds);
	uint32_t regions = 0;
	for (struct region *region = object->regions; region; region = region->object_next)
		regions++;
	if (regions != object->region_count)
		broken(c, "object %u: %u regions, counted %u", object->number, object->region_count,
		       regions);
	c->file_writes += object->write_ios;
	c->idle += object->cached.idle;
	if (c->pager->filter && object_is_file(object) && !object->shown &&
	    (object->region_count || object->private_count || object->dirty_pages))
		broken(c, "object %u is used, and not shown", object->number);
	if (object->cached.idle)
		check_idle(c, object);
}

static void check_home(struct checker *c, uint32_t number)
{
	const struct frame *frame = frame_get(c->pager, number);
	uint32_t home = pool_number(client_lookup(c->pager, frame->client),
				    object_lookup(c->pager, frame_object(frame)));
	if (frame->pool != home || !c->pager->pools[home].active)
		broken(c, "frame %u (object %u page %lu) is in pool %u, not %u", number,
		       frame_object(frame), frame_page(frame), frame->pool, home);
}

/* A resident page that no policy knows of, and that is not on its way out, is of a client that is
 * late: nobody else would ever take it. */
static void check_parked(struct checker *c, uint32_t number)
{
	const struct frame *frame = frame_get(c->pager, number);
	const struct object *object = object_lookup(c->pager, frame_object(frame));
	uint64_t pte = object_pte(object, frame_page(frame));
	if (frame->flags & (FRAME_HELD | FRAME_RECLAIM | FRAME_ORPHAN) ||
	    pte_state(pte) != PAGE_RESIDENT)
		return;
	if (!object_is_private(object) || !lapse_now(c->pager, object->client))
		broken(c, "frame %u (object %u page %lu) is parked, and nobody late", number,
		       frame_object(frame), frame_page(frame));
}

static void check_lapses(struct checker *c)
{
	struct pager *pager = c->pager;
	uint32_t lapses = 0, writes = 0, records = 0;
	for (uint32_t i = 1; i < pager->client_room; i++) {
		const struct client *client = pager->clients[i];
		lapses += client && client->agent.lapse.since_ns;
		records += client ? client->agent.queued : 0;
	}
	for (uint32_t i = 0; i < pager->io_fresh; i++)
		writes += pager->ios[i].kind == IO_WRITE && pager->ios[i].bounce == BOUNCE_NONE;
	if (lapses != pager->lapses || writes != pager->io_late_writes ||
	    records != pager->agent_records)
		broken(c, "%u agents late, counted %u; %u late writes, counted %u; %u records, %u",
		       pager->lapses, lapses, pager->io_late_writes, writes, pager->agent_records,
		       records);
}

static void check_frames(struct checker *c)
{
	struct pager *pager = c->pager;
	uint32_t used = 0, reclaiming = 0;
	uint32_t *held = calloc(POOL_MAX, sizeof *held);
	uint32_t *counted = calloc(POOL_MAX, sizeof *counted);
	for (uint32_t i = 0; held && counted && i < pager->frame_fresh; i++) {
		struct frame *frame = frame_get(pager, i);
		if (!frame_object(frame))
			continue;
		used++;
		counted[frame->pool]++;
		check_home(c, i);
		check_parked(c, i);
		reclaiming += !!(frame->flags & FRAME_RECLAIM);
		if (!c->seen[i] && !(frame->flags & FRAME_ORPHAN))
			broken(c, "frame %u (object %u page %lu) stands in no entry", i,
			       frame_object(frame), frame_page(frame));
		if ((frame->flags & (FRAME_HELD | FRAME_RECLAIM)) == FRAME_HELD)
			held[frame->pool]++;
	}
	if (used != pager->used_pages)
		broken(c, "%u frames used, counted %u", pager->used_pages, used);
	if (reclaiming != pager->reclaiming)
		broken(c, "%u frames reclaimed, counted %u", pager->reclaiming, reclaiming);
	for (uint32_t i = 0; held && counted && i < pager->pool_end; i++) {
		struct pool *pool = &pager->pools[i];
		if (counted[i] != pool->used_pages)
			broken(c, "pool %u: %u frames used, counted %u", i, pool->used_pages,
			       counted[i]);
		if (pool->ops && !pool_is_broken(pool) && pool->ops->held(pool->policy) != held[i])
			broken(c, "pool %u: the policy holds %u frames, counted %u", i,
			       pool->ops->held(pool->policy), held[i]);
	}
	free(held);
	free(counted);
}

static void check_clients(struct checker *c)
{
	for (uint32_t i = 1; i < c->pager->client_room; i++) {
		struct client *client = c->pager->clients[i];
		uint64_t end = 0, mapped = 0;
		for (uint32_t k = 0; client && k < client->region_count; k++) {
			struct region *region = client->regions[k];
			if (region->start < end || region->start >= region->end)
				broken(c, "client %u: region %u at %#lx overlaps", i, k,
				       region->start);
			if (!object_lookup(c->pager, region->object))
				broken(c, "client %u: region %u has no object", i, k);
			end = region->end;
			mapped += region_pages(region);
		}
		if (client && mapped != client->stats.mapped_pages)
			broken(c, "client %u: %lu pages mapped, counted %lu", i,
			       client->stats.mapped_pages, mapped);
	}
}

/* What is lent to the budget is lent to all pools. */
static void check_shares(struct checker *c)
{
	const struct pager *pager = c->pager;
	uint32_t count = 0;
	for (uint32_t i = 0; i < pager->pool_end; i++) {
		const struct pool *pool = &pager->pools[i];
		const struct account *account = &pool->share.account;
		uint32_t limit = pool_share(pager, i);
		if (!account->bank)
			continue;
		count++;
		if (limit > account->pages || limit < BANK_FLOOR_PAGES)
			broken(c, "pool %u: a limit of %u of %lu pages", i, limit, account->pages);
		if (!account_check(account))
			broken(c, "pool %u: its account or bank is wrong", i);
	}
	if (count != pager->shares.count)
		broken(c, "%u shares, counted %u", pager->shares.count, count);
	const struct account *budget = &pager->pools[0].share.account;
	if (budget->bank && pager->used_pages > budget->pages + pager->shortage.loan_pages)
		broken(c, "%u frames used of %lu, and %u lent", pager->used_pages, budget->pages,
		       pager->shortage.loan_pages);
}

/* What is in use is in the file, and whatever is done to it is behind that. */
static void check_swap(struct checker *c)
{
	const struct pager *pager = c->pager;
	const struct swap *swap = &pager->swap;
	uint32_t changes = 0;
	for (uint32_t i = 0; i < pager->io_fresh; i++)
		changes += pager->ios[i].kind == IO_SWAP;
	if (changes != (swap->change != SWAP_STILL))
		broken(c, "%u changes of the swap file at once", changes);
	if (pager->slots.end > pager->slots.limit || pager->slots.limit > swap->limit_slots)
		broken(c, "slots up to %lu were used of %lu, of at most %lu", pager->slots.end,
		       pager->slots.limit, swap->limit_slots);
	if (swap->change && swap->from != pager->slots.limit)
		broken(c, "the swap file is changed at slot %lu, and ends at %lu", swap->from,
		       pager->slots.limit);
}

unsigned invariant_check(struct pager *pager)
{
	struct checker c = {.pager = pager, .seen = calloc(pager->frame_fresh + 1, 1)};
	if (!c.seen)
		return 0;
	pageout_settle(pager);
	for (uint32_t i = 1; i < pager->object_room; i++)
		if (pager->objects[i])
			check_object(&c, pager->objects[i]);
	if (c.file_writes != pager->io_file_writes)
		broken(&c, "%u writes to files, the files have %u", pager->io_file_writes,
		       c.file_writes);
	if (c.idle != pager->cache.count)
		broken(&c, "%u objects kept, counted %u", pager->cache.count, c.idle);
	check_frames(&c);
	check_lapses(&c);
	check_clients(&c);
	check_shares(&c);
	check_swap(&c);
	uint64_t references = 0;
	for (uint64_t slot = 0; slot < pager->slots.end; slot++)
		references += pager->slots.count[slot];
	/* Writes in flight hold slots that stand in no entry yet (O4). */
	if (references < c.slots)
		broken(&c, "%lu references to slots, counted %lu", references, c.slots);
	if (!pager->io_writes && references != c.slots)
		broken(&c, "%lu references to slots, counted %lu", references, c.slots);
	free(c.seen);
	return c.broken;
}
