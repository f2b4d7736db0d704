/* SPDX-License-Identifier: MIT */
#include "push.h"

#include <errno.h>

#include "core.h"
#include "faultstate.h"

#define PROTECT_GAP 32u /* clean pages that are protected again rather than begin another range */
#define RANGE_TRIES 8

/* The child's objects that may still see a page, in turn. */
#define for_each_viewer(pager, parent, viewer)                                                     \
	for (struct object *viewer = object_lookup(pager, (parent)->privates); viewer;             \
	     viewer = object_lookup(pager, (viewer)->private_next))

static bool page_needed(const struct object *viewer, uint64_t page)
{
	if (page >= viewer->capacity_pages)
		return false;
	uint64_t pte = object_pte(viewer, page);
	return pte & PTE_SEEN || (pte_state(pte) == PAGE_ABSENT && !(pte & PTE_ZERO));
}

static struct region *region_of(const struct object *viewer, uint64_t page)
{
	uint64_t first, pages;
	for (struct region *region = viewer->regions; region; region = region->object_next)
		if (region_overlap(region, page, 1, &first, &pages))
			return region;
	return NULL;
}

/* ---- one child --------------------------------------------------------------------------- */

/* One page being pushed. */
struct push {
	struct object *object;
	uint64_t page;
	const void *bytes; /* NULL: what is in the slot, or zeros, is all there is to know */
	uint64_t slot;	   /* that holds the same; SLOT_NONE: zeros */
	bool known;	   /* slot says what the contents are */
};

/* The contents as the child's, in its slot. */
static bool give_slot(struct pager *pager, const struct push *push, struct object *viewer)
{
	if (!push->known || object_arm(pager, viewer, push->page, 1))
		return false;
	if (push->slot == SLOT_NONE) {
		viewer->table[push->page] = pte_make(PAGE_ABSENT, 0, PTE_ZERO);
		return true;
	}
	if (slot_ref(&pager->slots, push->slot))
		return false;
	viewer->table[push->page] = pte_make(PAGE_SWAPPED, push->slot, 0);
	viewer->swap_pages++;
	return true;
}

/* The contents as the child's, in its memory. Whether they are there, or nobody can look. */
static bool give_bytes(struct pager *pager, const struct push *push, struct object *viewer,
		       bool protect)
{
	const struct region *region = region_of(viewer, push->page);
	const struct client *client = region ? client_lookup(pager, region->client) : NULL;
	uint64_t done = 0;
	if (!push->bytes || !client || !region->registered)
		return false;
	int error = uffd_copy(client->uffd, region_address(region, push->page), push->bytes,
			      PAGE_BYTES, protect, &done);
	return done || error == -EEXIST || error == -ENOENT || error == -ESRCH;
}

static bool give_copy(struct pager *pager, const struct push *push, struct object *viewer)
{
	const struct region *region = region_of(viewer, push->page);
	const struct client *client = region ? client_lookup(pager, region->client) : NULL;
	/* A frozen child is about to fork, and its pages are, or are going to be, in their slots.
	 */
	if (!push->bytes || !client || !region->registered || viewer->frozen ||
	    object_arm(pager, viewer, push->page, 1))
		return false;
	uint32_t frame = frame_alloc(pager, client, viewer, push->page);
	if (frame == FRAME_NONE)
		return false;
	if (!give_bytes(pager, push, viewer, false)) {
		frame_free(pager, frame, false);
		return false;
	}
	viewer->table[push->page] = pte_make(PAGE_RESIDENT, frame, 0);
	viewer->resident_pages++;
	frame_hold(pager, frame, false);
	frame_dirty(pager, viewer, push->page);
	return true;
}

/* The parent's page is not in the child's sight any more. Whether its contents are. */
static bool give(struct pager *pager, const struct push *push, struct object *viewer)
{
	uint64_t *pte = &viewer->table[push->page];
	switch (pte_state(*pte)) {
	case PAGE_ABSENT:
		if (!(*pte & PTE_ZERO))
			return give_slot(pager, push, viewer) || give_copy(pager, push, viewer);
		break;
	case PAGE_RESIDENT:
		/* If its copy is still to be made, then of what is there now. */
		if (!give_bytes(pager, push, viewer, !(*pte & PTE_DIRTY)))
			return false;
		break;
	case PAGE_READING:
		*pte |= PTE_GONE;
		break;
	case PAGE_SWAPPED:
		break;
	}
	*pte &= ~PTE_SEEN;
	return true;
}

/* ---- all children ------------------------------------------------------------------------ */

static bool needed(struct pager *pager, const struct object *object, uint64_t page, bool *seen)
{
	bool any = false;
	*seen = false;
	for_each_viewer(pager, object, viewer)
	{
		if (!page_needed(viewer, page) || !region_of(viewer, page))
			continue;
		any = true;
		*seen = *seen || viewer->table[page] & PTE_SEEN;
	}
	return any;
}

static bool give_all(struct pager *pager, const struct push *push)
{
	bool all = true;
	for_each_viewer(pager, push->object, viewer)
	{
		if (page_needed(viewer, push->page) && region_of(viewer, push->page))
			all = give(pager, push, viewer) && all;
	}
	return all;
}

/* Push a resident page. Whether all who need it have it. */
static bool push_resident(struct pager *pager, struct object *object, uint64_t page, bool seen)
{
	unsigned char bytes[PAGE_BYTES];
	uint64_t pte = object_pte(object, page);
	const struct frame *frame = frame_get(pager, (uint32_t)pte_number(pte));
	struct push push = {
		.object = object,
		.page = page,
		.slot = frame->slot,
		.known = !(pte & PTE_DIRTY) && !(frame->flags & FRAME_WRITEBACK) &&
			 slot_shareable(&pager->slots, frame->slot, object->private_count),
	};
	if (seen || !push.known) {
		if (!hide_copy(pager, object, page, bytes))
			return false;
		push.bytes = bytes;
	}
	if (seen)
		hide_begin(object, page);
	bool all = give_all(pager, &push);
	if (seen)
		hide_end(pager, object, page, bytes);
	return all;
}

/* Start to write a dirty page to its slot, which children can share. 0, or io_write's. */
static int push_write(struct pager *pager, struct object *object, uint64_t page)
{
	uint64_t pte = object_pte(object, page);
	uint32_t number = (uint32_t)pte_number(pte);
	int error = 0;
	if (pte & PTE_DIRTY && !(frame_get(pager, number)->flags & FRAME_WRITEBACK))
		io_write(pager, &number, 1, NULL, &error);
	return error;
}

bool push_fault(struct pager *pager, struct faultstate *fs)
{
	bool seen;
	if (!needed(pager, fs->object, fs->page, &seen))
		return true;
	COUNT(pager, fs->client, fs->object, faults_cow, 1);
	if (push_resident(pager, fs->object, fs->page, seen))
		return true;
	if (push_write(pager, fs->object, fs->page)) {
		shortage_wait(pager, fs->number);
		return false;
	}
	/* Zeros need not be written. */
	if (push_resident(pager, fs->object, fs->page, seen))
		return true;
	uint32_t frame = (uint32_t)pte_number(object_pte(fs->object, fs->page));
	if (frame_get(pager, frame)->flags & FRAME_WRITEBACK)
		fault_push(pager, &pager->frozen, fs->number);
	else
		shortage_wait(pager, fs->number);
	return false;
}

/* ---- ranges ------------------------------------------------------------------------------ */

int push_begin(struct pager *pager, struct object *object, uint64_t page, uint64_t end)
{
	uint64_t first = UINT64_MAX, last = 0;
	if (end > object->capacity_pages)
		end = object->capacity_pages;
	for (page = object_next_armed(object, page); page < end;
	     page = object_next_armed(object, page + 1)) {
		if (!(object_pte(object, page) & PTE_DIRTY))
			continue;
		if (first != UINT64_MAX && page > last + PROTECT_GAP) {
			int error = object_protect(pager, object, first, last - first + 1);
			if (error)
				return error;
			first = UINT64_MAX;
		}
		first = first == UINT64_MAX ? page : first;
		last = page;
	}
	return first == UINT64_MAX ? 0 : object_protect(pager, object, first, last - first + 1);
}

static void region_unprotect(struct pager *pager, const struct object *object,
			     const struct region *region)
{
	const struct client *client = client_lookup(pager, region->client);
	uint64_t end = region->offset + region_pages(region), count;
	uint64_t page = object_next_armed(object, region->offset);
	for (; page < end && region->registered; page = object_next_armed(object, page + count)) {
		count = 0;
		while (page + count < end && object_pte(object, page + count) & PTE_DIRTY)
			count++;
		if (count)
			uffd_protect(client->uffd, region_address(region, page),
				     count << PAGE_SHIFT, false);
		else
			count = 1;
	}
}

void push_end(struct pager *pager, struct object *object)
{
	if (object_is_file(object) || object->frozen)
		return;
	for (const struct region *region = object->regions; region; region = region->object_next)
		region_unprotect(pager, object, region);
}

/* A page that is in its slot. Whether all who need it have it. */
static bool push_swapped(struct pager *pager, struct object *object, uint64_t page)
{
	struct push push = {
		.object = object,
		.page = page,
		.slot = pte_number(object_pte(object, page)),
		.known = true,
	};
	return give_all(pager, &push);
}

/* Have the page read in. 0; -EAGAIN: request waits for that; -ENOMEM. */
static int page_read(struct pager *pager, const struct client *client, uint64_t address,
		     struct pager_request *request)
{
	uint64_t pending = request->pending;
	if (!fault_at(pager, client, address, request))
		return -ENOMEM;
	return request->pending == pending ? 0 : -EAGAIN;
}

int push_range(struct pager *pager, const struct client *client, const struct region *region,
	       uint64_t page, uint64_t count, struct pager_request *request)
{
	struct object *object = object_lookup(pager, region->object);
	uint64_t end = page + count;
	bool seen;
	int tries = 0;
	page = object_next_armed(object, page);
	while (page < end) {
		enum page_state state = pte_state(object_pte(object, page));
		if (!needed(pager, object, page, &seen) || (state == PAGE_ABSENT && !seen) ||
		    (state == PAGE_SWAPPED && push_swapped(pager, object, page)) ||
		    (state == PAGE_RESIDENT && push_resident(pager, object, page, seen))) {
			page = object_next_armed(object, page + 1);
			tries = 0;
			continue;
		}
		if (tries++ == RANGE_TRIES)
			return -ENOMEM;
		/* Whoever has it mapped, and is about to copy it, wants it back first. */
		int error =
			state == PAGE_RESIDENT
				? sync_start(pager, object, page, end, false, request)
				: page_read(pager, client, region_address(region, page), request);
		if (error || state == PAGE_RESIDENT)
			return error ? error : -EAGAIN;
	}
	return 0;
}

void push_forget(struct pager *pager, const struct object *object, uint64_t page)
{
	struct object *base = object_lookup(pager, object->base);
	uint64_t first, pages;
	if (page >= base->capacity_pages || pte_state(object_pte(base, page)) == PAGE_ABSENT)
		return;
	for (const struct region *region = base->regions; region; region = region->object_next)
		if (region_overlap(region, page, 1, &first, &pages))
			return;
	for_each_viewer(pager, base, viewer)
	{
		bool has = page < viewer->capacity_pages &&
			   (pte_state(object_pte(viewer, page)) == PAGE_SWAPPED ||
			    object_pte(viewer, page) & PTE_ZERO);
		if (!has && region_of(viewer, page))
			return;
	}
	object_discard(pager, base, page, 1);
}
