/* SPDX-License-Identifier: MIT */
#include "private.h"

#include <errno.h>
#include <string.h>

#include "core.h"
#include "faultstate.h"

#define MAP_PAGES 64u /* so many pages of the base are mapped at once */

/* ---- faults: the base's page ------------------------------------------------------------- */

/* Pages from the fault's on that the base has and the client has not, for a run of accesses. */
static uint32_t base_run(struct pager *pager, struct faultstate *fs, const struct object *own)
{
	bool run;
	struct stream *stream = prefetch_stream(pager, fs->region, fs->page, fs->fault, &run);
	bool single = fs->fault->single || learn_records(pager, fs->client);
	uint32_t window = single ? 1 : prefetch_window(pager, fs->region, stream);
	uint64_t end = fs->region->offset + region_pages(fs->region);
	uint32_t count = 1;
	if (!stream || stream->stride != 1)
		window = 1;
	if (window > MAP_PAGES)
		window = MAP_PAGES;
	if (window > end - fs->page)
		window = (uint32_t)(end - fs->page);
	while (count < window && fs->page + count < fs->object->capacity_pages &&
	       pte_state(object_pte(fs->object, fs->page + count)) == PAGE_RESIDENT &&
	       pte_state(object_pte(own, fs->page + count)) == PAGE_ABSENT &&
	       !(object_pte(own, fs->page + count) & PTE_ZERO))
		count++;
	if (stream && stream->stride == 1)
		stream->next = fs->page + count;
	return count;
}

static bool forked(const struct object *own)
{
	return own->kind == PAGERD_ANON_FORKED;
}

static void base_seen(const struct object *own, uint64_t page, uint64_t count)
{
	while (forked(own) && count--)
		own->table[page++] |= PTE_SEEN;
}

static void base_map(struct pager *pager, struct faultstate *fs, const struct object *own,
		     bool protect)
{
	uint32_t number = (uint32_t)pte_number(fs->pte);
	struct frame *frame = frame_get(pager, number);
	uint32_t count = protect ? base_run(pager, fs, own) : 1;
	uint64_t done;
	int error = uffd_continue(fs->client->uffd, region_address(fs->region, fs->page),
				  (uint64_t)count << PAGE_SHIFT, protect, &done);
	base_seen(own, fs->page, done >> PAGE_SHIFT);
	if (!done && error == -EFAULT) {
		fault_lost(pager, fs);
		return;
	}
	if (!done && error == -ENOENT && count > 1) {
		/* The range crosses a border of the client's mappings. */
		fs->fault->single = true;
		fault_handle(pager, fs->number);
		return;
	}
	if (!done && error) {
		fault_refused(pager, fs, error);
		return;
	}
	if (frame->flags & FRAME_PREFETCHED) {
		frame->flags &= (uint16_t)~FRAME_PREFETCHED;
		COUNT(pager, fs->client, fs->object, pages_prefetch_used, 1);
	}
	frame_referenced(pager, number);
	if (!fs->fault->major)
		COUNT(pager, fs->client, fs->object, faults_minor, 1);
	fault_done(pager, fs->number);
}

/* A page of zeros of the client's own. */
static void own_zero(struct pager *pager, struct faultstate *fs)
{
	struct object *own = fs->object;
	bool have = pte_state(fs->pte) == PAGE_RESIDENT;
	int error = object_arm(pager, own, fs->page, 1);
	uint32_t frame = error || have ? FRAME_NONE : frame_alloc(pager, fs->client, own, fs->page);
	if (!error && !have && frame == FRAME_NONE) {
		shortage_wait(pager, fs->number);
		return;
	}
	uint64_t done = 0;
	if (!error)
		error = uffd_copy(fs->client->uffd, region_address(fs->region, fs->page),
				  pager->zeros, PAGE_BYTES, !(fs->pte & PTE_DIRTY), &done);
	if (!done) {
		if (frame != FRAME_NONE)
			frame_free(pager, frame, false);
		if (error == -ENOMEM)
			shortage_wait(pager, fs->number);
		else
			fault_refused(pager, fs, error);
		return;
	}
	if (!have) {
		own->table[fs->page] = pte_make(PAGE_RESIDENT, frame, 0);
		own->resident_pages++;
		frame_hold(pager, frame, false);
		COUNT(pager, fs->client, own, faults_zero, 1);
	}
	fault_done(pager, fs->number);
}

static void base_fault(struct pager *pager, struct faultstate *fs, bool protect)
{
	struct object *own = fs->object, *base = object_lookup(pager, own->base);
	if (forked(own) && pte_state(object_pte(base, fs->page)) == PAGE_ABSENT) {
		own_zero(pager, fs);
		return;
	}
	fs->object = base;
	fs->fault->object = fs->object->number;
	fs->fault->base = true;
	fs->pte = object_pte(fs->object, fs->page);
	switch (pte_state(fs->pte)) {
	case PAGE_RESIDENT:
		base_map(pager, fs, own, protect);
		break;
	case PAGE_READING:
		fault_join(pager, fs);
		break;
	default:
		fault_read_in(pager, fs);
	}
}

/* ---- faults: the client's own ------------------------------------------------------------ */

/* The drop that the client's agent has still to do, after a truncation, where the fault is. What is
 * written there before would go with it. */
static struct io *drop_ahead(struct pager *pager, const struct faultstate *fs)
{
	uint64_t address = region_address(fs->region, fs->page);
	for (uint32_t i = fs->client->agent.head; i != IO_NONE; i = pager->ios[i].agent_next) {
		struct io *io = &pager->ios[i];
		if (io_truncates(io) && address - io->address < io->place)
			return io;
	}
	return NULL;
}

/* The client is going to have a page of its own. */
static void own_make(struct pager *pager, struct faultstate *fs)
{
	struct object *object = fs->object;
	struct io *drop = drop_ahead(pager, fs);
	if (drop) {
		fault_wait_io(pager, drop, fs->number);
		return;
	}
	int error = object_arm(pager, object, fs->page, 1);
	uint32_t frame = error ? FRAME_NONE : frame_alloc(pager, fs->client, object, fs->page);
	if (error) {
		fault_refused(pager, fs, error);
		return;
	}
	if (frame == FRAME_NONE) {
		shortage_wait(pager, fs->number);
		return;
	}
	uint64_t seen = 0;
	if (pte_state(fs->pte) == PAGE_SWAPPED) {
		slot_unref(&pager->slots, pte_number(fs->pte));
		object->swap_pages--;
	} else if (forked(object)) {
		seen = PTE_SEEN; /* until the kernel has copied it, which we do not hear of */
	}
	object->table[fs->page] = pte_make(PAGE_RESIDENT, frame, seen);
	object->resident_pages++;
	frame_hold(pager, frame, false);
	frame_dirty(pager, object, fs->page);
	COUNT(pager, fs->client, object, faults_cow, 1);
	uint64_t address = region_address(fs->region, fs->page);
	if (uffd_protect(fs->client->uffd, address, PAGE_BYTES, false))
		uffd_wake(fs->client->uffd, address, PAGE_BYTES);
	fault_done(pager, fs->number);
}

void private_fault(struct pager *pager, struct faultstate *fs)
{
	bool write = fs->fault->protect;
	switch (pte_state(fs->pte)) {
	case PAGE_READING:
		fault_join(pager, fs);
		break;
	case PAGE_RESIDENT:
		if (write)
			fault_write(pager, fs);
		else if (forked(fs->object) && !(fs->pte & PTE_SEEN))
			own_zero(pager, fs); /* there, or dropped by the client */
		else
			/* The copy is still to be made; no write may make it unseen. */
			base_fault(pager, fs, !(fs->pte & PTE_DIRTY));
		break;
	case PAGE_SWAPPED:
		/* Protected, so it was there, but has been zapped since: the event is late. Unless
		 * an agent has gone that was to do that: then it may be there still. */
		if (write && fs->object->unzapped)
			own_make(pager, fs);
		else if (write)
			fault_again(pager, fs);
		else
			fault_read_in(pager, fs);
		break;
	case PAGE_ABSENT:
		if (fs->pte & PTE_ZERO && write)
			fault_again(pager, fs); /* what was there is being dropped */
		else if (fs->pte & PTE_ZERO)
			own_zero(pager, fs);
		else if (write)
			own_make(pager, fs);
		else
			base_fault(pager, fs, true);
		break;
	}
}

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
		if (forked(object))
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
