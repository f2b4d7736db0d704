/* SPDX-License-Identifier: MIT */
#include "private.h"

#include "core.h"

int private_zero(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	int error = object_discard(pager, object, page, count);
	if (!error)
		error = object_arm(pager, object, page, count);
	for (uint64_t end = page + count; page < end && !error; page++)
		object->table[page] |= PTE_ZERO;
	return error;
}

bool private_ready(struct pager *pager, const struct object *object)
{
	/* Held between OPEN and REGISTER: its pages may be moving. */
	const struct client *client = client_lookup(pager, object->client);
	return client && client->held != object && agent_ready(pager, object->client);
}

/* ---- eviction ---------------------------------------------------------------------------- */

static void zap_start(struct pager *pager, struct object *object, const uint32_t *frames,
		      uint32_t count)
{
	uint32_t number;
	struct io *io = private_ready(pager, object) ? io_alloc(pager, IO_ZAP, &number) : NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct frame *frame = frame_get(pager, frames[i]);
		if (!io) {
			frame_keep(pager, frames[i]);
			continue;
		}
		io->frames[i] = frames[i];
		frame->io = number;
		object->table[frame_page(frame)] = pte_make(
			PAGE_READING, frames[i], object_pte(object, frame_page(frame)) & PTE_SEEN);
		object->resident_pages--;
		object->in_flight++;
	}
	if (!io)
		return;
	io->object = object->number;
	io->span = count;
	agent_submit(pager, object->client, number);
}

void private_drop(struct pager *pager, struct object *object, const uint32_t *frames,
		  uint32_t count)
{
	for (uint32_t i = 0, run; i < count; i += run) {
		run = count - i < PAGERD_WINDOW_PAGES ? count - i : PAGERD_WINDOW_PAGES;
		zap_start(pager, object, frames + i, run);
	}
}

/* ---- moving ------------------------------------------------------------------------------ */

int private_moved(struct pager *pager, const struct client *client, const struct region *region)
{
	poison_follow(pager, client, region);
	return uffd_protect(client->uffd, region->start, region->end - region->start, true);
}

/* ---- truncation -------------------------------------------------------------------------- */

/* Whether what an agent that is late is to do for an earlier truncation, for which nobody waits any
 * more, does for the part of region from address on as well. */
static bool truncation_joins(struct pager *pager, const struct region *region, uint64_t address)
{
	const struct agent *agent = &client_lookup(pager, region->client)->agent;
	uint32_t number = agent->sent ? pager->ios[agent->head].agent_next : agent->head;
	for (; number != IO_NONE; number = pager->ios[number].agent_next) {
		struct io *io = &pager->ios[number];
		if (!io_truncates(io) || io->request || io->address + io->place != region->end)
			continue;
		io->address = address < io->address ? address : io->address;
		io->place = region->end - io->address;
		return true;
	}
	return false;
}

static void region_truncate(struct pager *pager, const struct region *region, uint64_t end,
			    struct pager_request *request)
{
	struct object *object = object_lookup(pager, region->object);
	uint64_t last = region->offset + region_pages(region);
	uint64_t page = end > region->offset ? end : region->offset;
	uint32_t number;
	page = object_next_armed(object, page);
	if (page >= last)
		return; /* nothing was ever written there */
	object_discard(pager, object, page, last - page);
	struct io *io = NULL;
	if (agent_obeys(pager, object->client) &&
	    !truncation_joins(pager, region, region_address(region, page)))
		io = io_alloc(pager, IO_ZAP, &number);
	if (!io)
		return;
	io->object = object->number;
	io->span = 0;
	io->address = region_address(region, page);
	io->place = (last - page) << PAGE_SHIFT;
	io->request = request;
	request->pending++;
	pager->truncations++;
	object->in_flight++;
	agent_submit(pager, object->client, number);
}

void private_truncate(struct pager *pager, struct object *base, uint64_t page,
		      struct pager_request *request)
{
	uint64_t bytes, end = object_file_pages(base, &bytes);
	if (page < end)
		end = page;
	for (uint32_t i = base->privates; i; i = pager->objects[i]->private_next) {
		const struct object *object = pager->objects[i];
		for (struct region *region = object->regions; region; region = region->object_next)
			region_truncate(pager, region, end, request);
	}
}

void private_unwait(struct pager *pager, struct io *io)
{
	struct pager_request *request = io->request;
	if (!request)
		return;
	io->request = NULL;
	pager->truncations--;
	request_part_done(pager, request, 0);
}

/* ---- the end of a zap -------------------------------------------------------------------- */

static void page_zapped(struct pager *pager, struct object *object, uint32_t number, bool gone)
{
	struct frame *frame = frame_get(pager, number);
	uint64_t page = frame_page(frame), pte = object_pte(object, page);
	object->in_flight--;
	if (frame->flags & FRAME_ORPHAN) {
		frame_free(pager, number, false);
	} else if (gone || pte & PTE_GONE) {
		object->unzapped = object->unzapped || !gone;
		object->table[page] = frame->slot == SLOT_NONE
					      ? pte_make(PAGE_ABSENT, 0, PTE_ZERO)
					      : pte_make(PAGE_SWAPPED, frame->slot, 0);
		pageout_count(pager, object, frame);
		frame_free(pager, number, true);
		if (object_is_forked(object))
			push_forget(pager, object, page);
	} else {
		object->table[page] = pte_make(PAGE_RESIDENT, number, pte & PTE_SEEN);
		object->resident_pages++;
		/* Else it is parked, and lapse_end does it, unless that has been meanwhile. */
		if (frame->flags & FRAME_RECLAIM || !lapse_now(pager, object->client))
			frame_keep(pager, number);
	}
}

void private_zapped(struct pager *pager, uint32_t number, uint32_t pages, bool known)
{
	struct io *io = &pager->ios[number];
	struct object *object = object_lookup(pager, io->object);
	if (!known)
		object->unzapped = true;
	for (uint32_t i = 0; i < io->span; i++)
		page_zapped(pager, object, io->frames[i], i < pages || !known);
	uint32_t waiters = io->waiters;
	if (io_truncates(io)) {
		object->in_flight--;
		private_unwait(pager, io);
	}
	io_release(pager, io);
	fault_retry_list(pager, waiters, false);
	object_reap(pager, object);
}
