/* SPDX-License-Identifier: MIT */
/*
 * remap_file_pages where the memory is the daemon's: the same object, mapped from another page on.
 * (The kernel would take the range out of the userfaultfd, and show zeros where nothing is yet.)
 */
#include <errno.h>
#include <sys/mman.h>

#include "paged.h"
#include "sys.h"

/* Whether all of [start, end) is mapped as its begin is, of the same object. */
static bool pages_alike(struct paged *paged, uint64_t start, uint64_t end)
{
	const struct region *first = regions_lookup(&paged->regions, start);
	uint64_t cursor = start, number = 0;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece)) {
		struct session_object object;
		if (!piece.region || piece.region->protection != first->protection ||
		    piece.region->flags != first->flags ||
		    session_open(&paged->session, piece.start, PAGE_BYTES, &object) < 0)
			return false;
		sys_close(object.memfd);
		if (number && object.number != number)
			return false;
		number = object.number;
	}
	return true;
}

/* The object at the region's start, which must hold what the region shall map of it. A file's does
 * when it is asked to; anonymous memory has its length. */
static int pages_open(struct paged *paged, const struct region *region,
		      struct session_object *object)
{
	const struct region *old = regions_lookup(&paged->regions, region->start);
	uint64_t place = old->offset + (region->start - old->start), bytes = PAGE_BYTES;
	uint64_t last = region->offset + (region->end - region->start);
	if (old->kind == PAGERD_FILE_SHARED && last > place)
		bytes = last - place;
	return session_open(&paged->session, region->start, bytes, object);
}

static int pages_remap(struct paged *paged, const struct region *region)
{
	struct session_object object;
	uint64_t bytes = region->end - region->start;
	bool locked = paged_locked(paged, region->start, bytes);
	int result = regions_reserve(&paged->regions, 4);
	if (result == 0)
		result = pages_open(paged, region, &object);
	if (result < 0)
		return -EINVAL;
	result = paged_release(paged, region->start, region->end);
	if (result == 0)
		result = paged_attach(paged, region, object.memfd, object.number);
	sys_close(object.memfd);
	if (result == 0 && locked)
		paged_mlock(paged, region->start, bytes, 0);
	return result;
}

int paged_remap_pages(struct paged *paged, uint64_t address, uint64_t length, int protection,
		      uint64_t page, int flags)
{
	uint64_t start = address & ~(PAGE_BYTES - 1), bytes = length & ~(PAGE_BYTES - 1);
	if (protection || !range_valid(start, bytes) || page + bytes / PAGE_BYTES < page ||
	    !regions_overlap(&paged->regions, start, start + bytes))
		return sys_remap_file_pages(address, length, protection, page, flags);
	const struct region *first = regions_lookup(&paged->regions, start);
	if (!first || region_is_anonymous(first) || region_is_private(first) ||
	    page > UINT64_MAX / 2 / PAGE_BYTES || !pages_alike(paged, start, start + bytes))
		return -EINVAL;
	struct region region = *first;
	region.start = start;
	region.end = start + bytes;
	region.offset = page * PAGE_BYTES;
	return pages_remap(paged, &region);
}
