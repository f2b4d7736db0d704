/* SPDX-License-Identifier: MIT */
/*
 * mremap of private mappings of files.
 *
 * The private pages are this process's: only the kernel can move them, which takes the
 * userfaultfd's hands off them. So the daemon opens their object, which keeps its own hands off,
 * the kernel moves them, and the daemon registers the new place. Meanwhile the memory is
 * inaccessible: nobody is to touch what is not registered.
 */
#include <errno.h>
#include <sys/mman.h>

#include "paged.h"
#include "paged_remap.h"
#include "sys.h"

/* Map what the new place has more than the old one, and the rest, to be replaced. */
static int new_place(const struct remap *remap, const struct session_object *object, uint64_t place)
{
	long result =
		sys_mmap(place, remap->new_length, PROT_NONE,
			 MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, object->memfd, object->offset);
	return result < 0 ? (int)result : sys_madvise(place, remap->new_length, MADV_DONTFORK);
}

static int move_pages(struct paged *paged, const struct region *old, const struct remap *remap,
		      const struct session_object *object, uint64_t place)
{
	uint64_t end = remap->address + remap->length;
	struct region moved = *old;
	sys_mprotect(remap->address, remap->length, PROT_NONE);
	long result = sys_mremap(remap->address, remap->length, remap->length,
				 MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (result < 0) {
		sys_mprotect(remap->address, remap->length, old->protection);
		return (int)result;
	}
	result = session_register(&paged->session, place, remap->new_length, object->number,
				  object->offset);
	session_range(&paged->session, PAGERD_UNMAP, remap->address, remap->length, 0);
	regions_remove(&paged->regions, remap->address, end);
	if (result < 0)
		return (int)result; /* the pages are lost, and no longer mapped */
	moved.start = place;
	moved.end = place + remap->new_length;
	moved.offset = object->offset;
	moved.registration = ++paged->registrations;
	regions_insert(&paged->regions, &moved);
	return sys_mprotect(place, remap->new_length, moved.protection);
}

/* What the daemon knows as several regions moves region by region. */
static long move_parts(struct paged *paged, const struct remap *remap)
{
	uint64_t cursor = remap->address, end = remap->address + remap->length;
	struct piece piece;
	long place = remap_place(paged, remap), result = place;
	while (result >= 0 && regions_piece(&paged->regions, &cursor, end, &piece)) {
		struct remap part = {
			.address = piece.start,
			.length = piece.end - piece.start,
			.new_length = piece.end - piece.start,
			.flags = MREMAP_MAYMOVE | MREMAP_FIXED,
			.new_address = (uint64_t)place + piece.start - remap->address,
		};
		result = remap_file_private(paged, piece.region, &part);
	}
	return result < 0 ? result : place;
}

long remap_file_private(struct paged *paged, const struct region *in_table,
			const struct remap *remap)
{
	const struct region region = *in_table;
	if (remap->flags & MREMAP_DONTUNMAP)
		return -ENOMEM;
	if (remap->address + remap->length > region.end)
		return remap->new_length == remap->length ? move_parts(paged, remap) : -ENOMEM;
	int result = regions_reserve(&paged->regions, 6);
	if (result < 0)
		return result;
	long place = remap_place(paged, remap);
	if (place < 0)
		return place;
	struct session_object object;
	result = session_open(&paged->session, remap->address, remap->new_length, &object);
	if (result == 0) {
		result = new_place(remap, &object, (uint64_t)place);
		if (result == 0)
			result = move_pages(paged, &region, remap, &object, (uint64_t)place);
		sys_close(object.memfd);
	}
	if (result == 0)
		return place;
	paged_munmap(paged, (uint64_t)place, remap->new_length);
	return result == -EBUSY ? -ENOMEM : result; /* the pages behind may be another part's */
}
