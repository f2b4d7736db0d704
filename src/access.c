/* SPDX-License-Identifier: MIT */
#include "access.h"

#include <string.h>

#include "core.h"
#include "pagemap.h"

#define BATCH_LEAST 48u	  /* probes owed that make a batch; fewer where memory is small */
#define HAND_STEPS  1024u /* frames that the hand passes in one turn */
#define YOUNG_GRACE 256u  /* pages that come in between a page and its first probe */

/* ---- which frames ------------------------------------------------------------------------ */

static enum pagerd_references frame_references(struct pager *pager, uint32_t number)
{
	return pager->pools[frame_get(pager, number)->pool].ops->references;
}

/* Is it worth looking at? */
static bool frame_pays(struct pager *pager, uint32_t number)
{
	return !payoff_idle(pager, &pager->pools[frame_get(pager, number)->pool]);
}

/* Whether all who map the object let us see what they have mapped. */
static bool object_visible(struct pager *pager, const struct object *object)
{
	for (const struct region *region = object->regions; region; region = region->object_next)
		if (client_lookup(pager, region->client)->pagemap < 0)
			return false;
	return true;
}

static bool frame_watched(struct pager *pager, uint32_t number)
{
	const struct frame *frame = frame_get(pager, number);
	return frame_object(frame) && frame->flags & FRAME_HELD &&
	       !(frame->flags & FRAME_ZAPPING) &&
	       frame_references(pager, number) != PAGERD_REFERENCES_NONE &&
	       zap_allowed(pager, number) &&
	       object_visible(pager, object_lookup(pager, frame_object(frame)));
}

void access_init(struct pager *pager, uint32_t looks)
{
	struct access *access = &pager->access;
	access->looks = looks == ACCESS_AUTO ? 1 : looks;
	access->payoffs.on = looks == ACCESS_AUTO && !pager->config.chaos;
	access->payoffs.random = 1;
}

void access_report(const struct pager *pager, struct pager_snapshot *snapshot)
{
	const struct access *access = &pager->access;
	snapshot->access_auto = access->payoffs.on;
	snapshot->access_looks = access->looks;
	snapshot->access_shards = 1;
	snapshot->access_idle = payoff_idle(pager, &pager->pools[0]);
}

void access_page_in(struct pager *pager, uint32_t frame)
{
	struct access *access = &pager->access;
	if (!access->looks || !frame_pays(pager, frame))
		return;
	uint32_t slot = access->young_tail++ % ACCESS_YOUNG;
	access->young[slot].frame = frame;
	access->young[slot].tick = frame_get(pager, frame)->tick;
	if (access->young_tail - access->young_head > ACCESS_YOUNG)
		access->young_head++; /* the hand will come to it */
}

void access_evicted(struct pager *pager, uint32_t pages)
{
	struct access *access = &pager->access;
	uint32_t waiting = access->young_tail - access->young_head;
	/* Twice as many: those that came in before there was pressure wait, too. */
	access->young_debt += 2 * pages;
	if (access->young_debt > waiting)
		access->young_debt = waiting;
	access->payoffs.evicted += pages;
	access->debt += pages * access->looks;
	if (access->debt > pager->used_pages)
		access->debt = pager->used_pages;
}

/* ---- what is mapped ---------------------------------------------------------------------- */

/* Set the bytes of those of a run of neighbouring pages that any client has mapped. Where all are,
 * who else has them mapped does not matter. */
static void run_scan(struct pager *pager, const uint32_t *frames, uint32_t count, uint8_t *mapped)
{
	const struct frame *frame = frame_get(pager, frames[0]);
	const struct object *object = object_lookup(pager, frame_object(frame));
	uint64_t first, pages;
	for (const struct region *region = object->regions; region && memchr(mapped, 0, count);
	     region = region->object_next)
		if (region_overlap(region, frame_page(frame), count, &first, &pages))
			pagemap_scan(client_lookup(pager, region->client)->pagemap,
				     region_address(region, first), (uint32_t)pages,
				     mapped + (first - frame_page(frame)));
}

static bool frame_probed(struct pager *pager, uint32_t number)
{
	return frame_get(pager, number)->flags & FRAME_PROBED;
}

/* Which of the frames, sorted, are mapped. Those that were not probed count as mapped: it says
 * nothing of them, and a zap costs less than looking. */
static void frames_scan(struct pager *pager, const uint32_t *frames, uint32_t count,
			uint8_t *mapped)
{
	memset(mapped, 0, count);
	for (uint32_t i = 0, run; i < count; i += run) {
		bool probed = frame_probed(pager, frames[i]);
		uint32_t most = 1;
		while (i + most < count && frame_probed(pager, frames[i + most]) == probed)
			most++;
		run = frame_run(pager, frames + i, most);
		if (probed)
			run_scan(pager, frames + i, run, mapped + i);
		else
			memset(mapped + i, 1, run);
	}
}

static void frame_found(struct pager *pager, uint32_t number)
{
	const struct frame *frame = frame_get(pager, number);
	COUNT(pager, client_lookup(pager, frame->client), object_lookup(pager, frame_object(frame)),
	      pages_found_used, 1);
	payoff_found(pager, number);
}

void access_victims(struct pager *pager, const uint32_t *frames, uint32_t count)
{
	uint32_t probed[PAGEOUT_BATCH], probed_count = 0;
	uint8_t mapped[PAGEOUT_BATCH];
	for (uint32_t i = 0; i < count && pager->access.looks; i++)
		if (frame_probed(pager, frames[i]) &&
		    frame_references(pager, frames[i]) == PAGERD_REFERENCES_ALL &&
		    frame_watched(pager, frames[i]))
			probed[probed_count++] = frames[i];
	frame_sort(pager, probed, probed_count);
	frames_scan(pager, probed, probed_count, mapped);
	for (uint32_t i = 0; i < probed_count; i++) {
		struct frame *frame = frame_get(pager, probed[i]);
		if (!mapped[i])
			continue;
		frame->flags = (uint16_t)((frame->flags & ~FRAME_PROBED) | FRAME_USED);
		frame_found(pager, probed[i]);
		access_page_in(pager, probed[i]); /* to be probed anew */
	}
}

/* ---- a batch ----------------------------------------------------------------------------- */

static void batch_add(struct pager *pager, uint32_t frame)
{
	struct zap *zap = &pager->zap;
	if (frame_get(pager, frame)->flags & FRAME_RECLAIM || !frame_watched(pager, frame))
		return;
	frame_get(pager, frame)->flags |= FRAME_ZAPPING;
	zap->frames[zap->count++] = frame;
}

/* Is the page of a place in the queue of the young still the one that was put there? */
static bool young_same(struct pager *pager, uint32_t place)
{
	const uint32_t slot = place % ACCESS_YOUNG;
	const struct frame *frame = frame_get(pager, pager->access.young[slot].frame);
	return frame_object(frame) && frame->tick == pager->access.young[slot].tick;
}

/* Has it been there for long enough to be probed, or is it gone? */
static bool young_ready(struct pager *pager, uint32_t place)
{
	const struct frame *frame =
		frame_get(pager, pager->access.young[place % ACCESS_YOUNG].frame);
	const struct pool *pool = &pager->pools[frame->pool];
	uint32_t grace = pool_capacity(pager, pool) / 16;
	grace = pager->chaos.on ? 0 : grace < YOUNG_GRACE ? grace : YOUNG_GRACE;
	return !young_same(pager, place) || pool->tick - frame->tick >= grace;
}

/* The first of the young: true if it was taken off the queue. */
static bool young_take(struct pager *pager)
{
	struct access *access = &pager->access;
	uint32_t place = access->young_head, number = access->young[place % ACCESS_YOUNG].frame;
	if (!young_ready(pager, place))
		return false;
	access->young_head++;
	if (young_same(pager, place) && !frame_probed(pager, number))
		batch_add(pager, number);
	return true;
}

/* How many have to be looked at to know whether the frame's page is used; 0: it is free. */
static uint32_t frame_mappings(struct pager *pager, uint32_t number)
{
	const struct object *object = object_lookup(pager, frame_object(frame_get(pager, number)));
	if (!object)
		return 0;
	return object->region_count ? object->region_count : 1;
}

static void batch_follow(struct pager *pager)
{
	uint32_t frames[PAYOFF_BATCH], count = payoff_collect(pager, frames);
	for (uint32_t i = 0; i < count; i++)
		batch_add(pager, frames[i]);
}

static void batch_collect(struct pager *pager)
{
	struct zap *zap = &pager->zap;
	struct access *access = &pager->access;
	zap->count = 0;
	if (payoff_due(pager))
		batch_follow(pager);
	uint32_t most = access->debt ? ZAP_PAGES / 2 : ZAP_PAGES;
	while (zap->count < most && access->young_debt && young_take(pager))
		access->young_debt--;
	for (uint32_t i = 0; i < HAND_STEPS && access->debt && zap->count < ZAP_PAGES; i++) {
		if (access->hand >= pager->frame_fresh)
			access->hand = 0;
		uint32_t mappings = frame_mappings(pager, access->hand);
		access->debt -= mappings < access->debt ? mappings : access->debt;
		if (frame_pays(pager, access->hand))
			batch_add(pager, access->hand);
		access->hand++;
	}
}

/* Tell the policy of those that were used; only those that are mapped stay in the batch. */
static void batch_look(struct pager *pager)
{
	struct zap *zap = &pager->zap;
	uint8_t mapped[ZAP_PAGES];
	uint32_t left = 0;
	frame_sort(pager, zap->frames, zap->count);
	frames_scan(pager, zap->frames, zap->count, mapped);
	for (uint32_t i = 0; i < zap->count; i++) {
		uint32_t number = zap->frames[i];
		struct frame *frame = frame_get(pager, number);
		if (mapped[i] && frame->flags & FRAME_PROBED) {
			frame_referenced(pager, number);
			frame_found(pager, number);
		}
		payoff_looked(pager, number);
		if (!mapped[i]) {
			frame->flags = (uint16_t)((frame->flags & ~FRAME_ZAPPING) | FRAME_PROBED);
			continue;
		}
		frame->flags &= (uint16_t)~FRAME_PROBED;
		zap->frames[left++] = number;
	}
	zap->count = left;
}

static void batch_zapped(struct pager *pager, bool all)
{
	const struct zap *zap = &pager->zap;
	for (uint32_t i = 0; i < zap->count; i++) {
		struct frame *frame = frame_get(pager, zap->frames[i]);
		if (frame->flags & FRAME_ZAPPING && all)
			frame->flags |= FRAME_PROBED;
		frame->flags &= (uint16_t)~FRAME_ZAPPING;
	}
}

static uint32_t batch_least(const struct pager *pager)
{
	uint32_t share = pager->used_pages / 16;
	return share < BATCH_LEAST ? share : BATCH_LEAST;
}

/* Is there enough for a batch? Young ones count when they can be probed: a round trip to an agent
 * for each page that just can would cost more than all the rest. */
static bool batch_due(struct pager *pager)
{
	const struct access *access = &pager->access;
	uint32_t least = batch_least(pager) + 1;
	if (payoff_overdue(pager))
		return true;
	if (access->debt >= least)
		return true;
	uint32_t young = least - access->debt;
	return access->young_debt >= young && young_ready(pager, access->young_head + young - 1);
}

void access_run(struct pager *pager)
{
	if (!batch_due(pager) || zap_busy(pager))
		return;
	batch_collect(pager);
	batch_look(pager);
	zap_send(pager, batch_zapped);
}
