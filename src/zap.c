/* SPDX-License-Identifier: MIT */
#include "zap.h"

#include "core.h"

#define ZAP_LATE_NS  1000000000ull
#define REGIONS_MOST 64u /* pages of an object that more map are left out */

/* Can all entries of the object's pages be zapped, and none that holds more than a reference? */
static bool object_allowed(struct pager *pager, const struct object *object)
{
	if (object_is_private(object) || object->privates || object->poisoned ||
	    object->region_count > REGIONS_MOST)
		return false;
	for (const struct region *region = object->regions; region; region = region->object_next)
		if (!region->registered || !agent_ready(pager, region->client))
			return false;
	return true;
}

bool zap_allowed(struct pager *pager, uint32_t number)
{
	const struct frame *frame = frame_get(pager, number);
	if (!frame_object(frame) || frame->flags & FRAME_ORPHAN)
		return false;
	const struct object *object = object_lookup(pager, frame_object(frame));
	return pte_state(object_pte(object, frame_page(frame))) == PAGE_RESIDENT &&
	       object_allowed(pager, object) && !wired_page(pager, object, frame_page(frame));
}

/* ---- a batch ----------------------------------------------------------------------------- */

/* All entries of the frame's page. Whether there was room for them. */
static bool entries_add(struct pager *pager, uint32_t number, struct zap_entry *entries,
			uint32_t *count)
{
	const struct frame *frame = frame_get(pager, number);
	struct object *object = object_lookup(pager, frame_object(frame));
	uint64_t first, pages;
	if (*count + object->region_count > ZAP_ENTRIES)
		return false;
	for (const struct region *region = object->regions; region; region = region->object_next)
		if (region_overlap(region, frame_page(frame), 1, &first, &pages))
			entries[(*count)++] = (struct zap_entry){
				region->client,
				region_address(region, frame_page(frame)),
			};
	COUNT(pager, client_lookup(pager, frame->client), object, pages_zapped, 1);
	return true;
}

static uint32_t batch_entries(struct pager *pager, struct zap_entry *entries)
{
	struct zap *zap = &pager->zap;
	uint32_t count = 0, left = 0;
	for (uint32_t i = 0; i < zap->count; i++) {
		uint32_t number = zap->frames[i];
		if (entries_add(pager, number, entries, &count))
			zap->frames[left++] = number;
		else
			frame_get(pager, number)->flags &= (uint16_t)~FRAME_ZAPPING;
	}
	zap->count = left;
	return count;
}

static void batch_end(struct pager *pager, bool all)
{
	struct zap *zap = &pager->zap;
	zap->commands = 0;
	zap->sent_ns = 0;
	zap->number++;
	zap->done(pager, all);
}

/* Have entries from first on, of one client, zapped. */
static void client_zap(struct pager *pager, uint32_t first, uint32_t count)
{
	struct zap *zap = &pager->zap;
	uint32_t number, client = zap->entries[first].client;
	struct io *io = agent_ready(pager, client) ? io_alloc(pager, IO_UNMAP, &number) : NULL;
	if (!io) {
		zap->incomplete = true;
		return;
	}
	io->page = first;
	io->span = count;
	io->place = zap->number;
	zap->commands++;
	agent_submit(pager, client, number);
}

/* Those of one client together, in their order otherwise. */
static void entries_sort(struct zap *zap, struct zap_entry *entries, uint32_t count)
{
	uint32_t sorted = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t client = entries[i].client;
		for (uint32_t k = i; client && k < count; k++) {
			if (entries[k].client != client)
				continue;
			zap->entries[sorted++] = entries[k];
			entries[k].client = 0;
		}
	}
}

const struct zap_entry *zap_entries(const struct pager *pager, const struct io *io, uint32_t *count)
{
	const struct zap *zap = &pager->zap;
	*count = zap->commands && io->place == zap->number ? io->span : 0;
	return &zap->entries[io->page];
}

static void command_done(struct pager *pager)
{
	if (!--pager->zap.commands)
		batch_end(pager, !pager->zap.incomplete);
}

void zap_send(struct pager *pager, void (*done)(struct pager *pager, bool all))
{
	struct zap *zap = &pager->zap;
	struct zap_entry entries[ZAP_ENTRIES];
	uint32_t count = batch_entries(pager, entries), run;
	entries_sort(zap, entries, count);
	zap->done = done;
	zap->incomplete = false;
	zap->sent_ns = pager->now_ns;
	zap->commands = 1; /* this function's own part */
	for (uint32_t i = 0; i < count; i += run) {
		for (run = 1; i + run < count && run < PAGERD_COMMAND_PAGES; run++)
			if (zap->entries[i + run].client != zap->entries[i].client)
				break;
		client_zap(pager, i, run);
	}
	command_done(pager);
}

void zap_answered(struct pager *pager, struct io *io, bool done)
{
	struct zap *zap = &pager->zap;
	bool present = zap->commands && io->place == zap->number;
	io_release(pager, io);
	if (!present)
		return; /* of a batch that was given up */
	zap->incomplete |= !done;
	command_done(pager);
}

bool zap_busy(struct pager *pager)
{
	struct zap *zap = &pager->zap;
	if (zap->sent_ns && pager->now_ns - zap->sent_ns > ZAP_LATE_NS)
		batch_end(pager, false);
	return zap->sent_ns;
}
