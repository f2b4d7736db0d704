/* SPDX-License-Identifier: MIT */
/*
 * Page faults: from the event to the answer.
 *
 * Nothing here allocates, logs or takes a lock.
 */
#include <errno.h>
#include <fcntl.h>

#include "core.h"
#include "faultstate.h"

void fault_again(struct pager *pager, struct faultstate *fs)
{
	uffd_wake(fs->client->uffd, fs->fault->address, PAGE_BYTES);
	fault_done(pager, fs->number);
}

void fault_refused(struct pager *pager, struct faultstate *fs, int error)
{
	if (fs->fault->own && error == -EAGAIN) {
		shortage_wait(pager, fs->number);
		shortage_retry(pager);
		return;
	}
	uffd_wake(fs->client->uffd, fs->fault->address, PAGE_BYTES);
	fault_done(pager, fs->number);
}

/* ---- the page is there ------------------------------------------------------------------- */

/*
 * The memfd has no page where we keep one resident: a client that may write the object has
 * punched it. The contents are its slot's or file's again, as after an eviction.
 */
void fault_lost(struct pager *pager, struct faultstate *fs)
{
	struct frame *frame = frame_get(pager, (uint32_t)pte_number(fs->pte));
	if (frame->flags & (FRAME_WRITEBACK | FRAME_RECLAIM)) {
		shortage_wait(pager, fs->number);
		return;
	}
	if (fs->pte & PTE_DIRTY)
		frame_clean(pager, fs->object, fs->page);
	fs->object->table[fs->page] = pte_away(frame->slot);
	fs->object->resident_pages--;
	frame_free(pager, (uint32_t)pte_number(fs->pte), false);
	fault_handle(pager, fs->number);
}

static void fault_resident(struct pager *pager, struct faultstate *fs)
{
	struct frame *frame = frame_get(pager, (uint32_t)pte_number(fs->pte));
	if (frame->flags & FRAME_PREFETCHED && !fs->fault->protect) {
		frame->flags &= (uint16_t)~FRAME_PREFETCHED;
		COUNT(pager, fs->client, fs->object, pages_prefetch_used, 1);
	}
	if (fs->fault->protect) {
		fault_write(pager, fs);
		return;
	}
	bool write = fs->fault->write && !fs->region->read_only &&
		     fault_may_dirty(pager, fs->fault, fs->object);
	uint64_t done;
	int error = uffd_continue(fs->client->uffd, region_address(fs->region, fs->page),
				  PAGE_BYTES, !write && !fs->region->read_only, &done);
	if (error == -EFAULT) {
		fault_lost(pager, fs);
		return;
	}
	if (error) {
		fault_refused(pager, fs, error);
		return;
	}
	if (write)
		frame_dirty(pager, fs->object, fs->page);
	frame_referenced(pager, (uint32_t)pte_number(fs->pte));
	if (!fs->fault->major)
		COUNT(pager, fs->client, fs->object, faults_minor, 1);
	fault_done(pager, fs->number);
}

/*
 * The memfd of a guarded object (see object_guard) has a page that we did not put in. While it is
 * being read in, the read replaces it; else it goes.
 */
static void fault_foreign(struct faultstate *fs)
{
	fs->fault->present = false;
	if (pte_state(fs->pte) != PAGE_READING)
		fallocate(fs->object->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)(fs->page << PAGE_SHIFT), PAGE_BYTES);
}

/* ---- dispatch ---------------------------------------------------------------------------- */

/* Do those who write to the object wait, for a fork or a write(2)? */
static bool fault_frozen(const struct pager *pager, const struct object *object)
{
	return object->frozen || board_wait(pager, object);
}

void fault_handle(struct pager *pager, uint32_t number)
{
	struct fault *fault = &pager->faults[number];
	struct faultstate fs = {.number = number, .fault = fault};
	fs.client = client_lookup_same(pager, fault->client, fault->client_generation);
	if (!fs.client) {
		fault_free(pager, number);
		return;
	}
	fs.region = region_lookup(fs.client, fault->address);
	if (!fs.region) {
		fault_again(pager, &fs);
		return;
	}
	fs.object = object_lookup(pager, fs.region->object);
	if (fault->object != fs.object->number)
		fault->reserved = 0; /* what was, was in another file */
	fault->object = fs.object->number;
	fs.page = region_page(fs.region, fault->address);
	if (!fault->own)
		learn_touch(fs.region->learned, fs.page);
	if (fault->write && fault_frozen(pager, fs.object)) {
		fault_push(pager, &pager->frozen, number);
		return;
	}
	fs.pte = object_pte(fs.object, fs.page);
	if (object_is_private(fs.object)) {
		private_fault(pager, &fs);
		return;
	}
	if (fault->present && pte_state(fs.pte) != PAGE_RESIDENT)
		fault_foreign(&fs);
	switch (pte_state(fs.pte)) {
	case PAGE_RESIDENT:
		fault_resident(pager, &fs);
		break;
	case PAGE_READING:
		fault_join(pager, &fs);
		break;
	case PAGE_ABSENT:
		if (!object_is_file(fs.object)) {
			fault_zero(pager, &fs);
			break;
		}
		/* fall through */
	case PAGE_SWAPPED:
		fault_read_in(pager, &fs);
		break;
	}
}
