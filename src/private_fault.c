/* SPDX-License-Identifier: MIT */
/* Faults in private mappings: the client sees the base's page, or is to have one of its own. */
#include <errno.h>

#include "core.h"
#include "faultstate.h"

#define MAP_PAGES 64u /* so many pages of the base are mapped at once */

/* ---- the base's page --------------------------------------------------------------------- */

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

static void base_seen(const struct object *own, uint64_t page, uint64_t count)
{
	while (object_is_forked(own) && count--)
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
	if (object_is_forked(own) && pte_state(object_pte(base, fs->page)) == PAGE_ABSENT) {
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

/* ---- the client's own -------------------------------------------------------------------- */

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
	} else if (object_is_forked(object)) {
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
		else if (object_is_forked(fs->object) && !(fs->pte & PTE_SEEN))
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
