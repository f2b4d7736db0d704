/* SPDX-License-Identifier: MIT */
/*
 * mremap where the memory is the daemon's.
 *
 * Contents do not move: they are the object's, which is mapped at another place, or longer, and
 * taken away from the old place. Only where the daemon knows the range as several, or another
 * part of the memory owns the pages behind it in the object, is it copied.
 *
 * What may move does, even if it could be grown where it is: that would make it two ranges.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "paged_remap.h"
#include "sys.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* No mapping is longer, on machines with four levels of page tables. */
#define ADDRESS_SPACE (1ull << 47)

/* Whether the kernel would look at the memory at all. What is refused here is given to the
 * kernel, which refuses it with the right errno. */
static bool remap_valid(const struct remap *remap)
{
	const int known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
	if ((remap->flags & ~known) || remap->new_length == 0 ||
	    !range_valid(remap->address, remap->length ? remap->length : PAGE_BYTES))
		return false;
	if ((remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(remap->flags & MREMAP_MAYMOVE))
		return false;
	if ((remap->flags & MREMAP_DONTUNMAP) && remap->length != remap->new_length)
		return false;
	if (!(remap->flags & MREMAP_FIXED))
		return true;
	return range_valid(remap->new_address, remap->new_length) &&
	       (remap->new_address >= remap->address + remap->length ||
		remap->new_address + remap->new_length <= remap->address);
}

/* The daemon's memory right behind the region, if nothing is there. */
static int remap_extend(struct paged *paged, const struct region *region, const struct remap *remap,
			const struct session_object *object)
{
	struct region added = *region;
	added.start = region->end;
	added.end = remap->address + remap->new_length;
	added.offset = object->offset + remap->length;
	uint64_t bytes = added.end - added.start;
	long place =
		sys_mmap(added.start, bytes, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (place < 0)
		return (int)place;
	if ((uint64_t)place != added.start) {
		sys_munmap((uint64_t)place, bytes);
		return -EEXIST;
	}
	int result = paged_attach(paged, &added, object->memfd, object->number);
	if (result < 0)
		sys_munmap(added.start, bytes);
	return result;
}

/* Memory of its own right behind the range, if nothing is there: where the object cannot grow. */
static long remap_append(struct paged *paged, const struct region *in_table,
			 const struct remap *remap)
{
	unsigned flags = in_table->flags;
	uint64_t end = remap->address + remap->length;
	uint64_t bytes = remap->new_length - remap->length;
	int refused;
	struct mapping mapping = {
		.address = end,
		.length = bytes,
		.protection = in_table->protection,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		.fd = -1,
		.kind = PAGERD_ANON_PRIVATE,
	};
	if (!region_is_anonymous(in_table))
		return -ENOMEM;
	long place = paged_mmap(paged, &mapping, &refused);
	if (place < 0 || (uint64_t)place != end) {
		if (place >= 0)
			paged_munmap(paged, (uint64_t)place, bytes);
		return -ENOMEM;
	}
	regions_mark(&paged->regions, end, end + bytes, flags, 0);
	return (long)remap->address;
}

long remap_place(struct paged *paged, const struct remap *remap)
{
	int fixed = 0;
	if (remap->flags & MREMAP_FIXED) {
		int result = 0;
		uint64_t end = remap->new_address + remap->new_length;
		if (regions_overlap(&paged->regions, remap->new_address, end))
			result = paged_release(paged, remap->new_address, end);
		if (result < 0)
			return result;
		fixed = MAP_FIXED;
	}
	return sys_mmap(remap->new_address, remap->new_length, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
}

/* What is left at the old place after a move: nothing, or zeros. */
static int remap_vacate(struct paged *paged, const struct remap *remap, const struct region *region)
{
	unsigned flags = region->flags;
	int protection = region->protection;
	int result = paged_release(paged, remap->address, remap->address + remap->length);
	if (result < 0)
		return result;
	if (!(remap->flags & MREMAP_DONTUNMAP))
		return sys_munmap(remap->address, remap->length);
	long place = sys_mmap(remap->address, remap->length, protection,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (place >= 0 && (flags & REGION_DONTFORK))
		sys_madvise(remap->address, remap->length, MADV_DONTFORK);
	if (place >= 0 && (flags & REGION_WIPEONFORK))
		sys_madvise(remap->address, remap->length, MADV_WIPEONFORK);
	return place < 0 ? (int)place : 0;
}

static long remap_move(struct paged *paged, const struct region *region, const struct remap *remap,
		       const struct session_object *object)
{
	struct region moved = *region;
	long place = remap_place(paged, remap);
	if (place < 0)
		return place;
	moved.start = (uint64_t)place;
	moved.end = moved.start + remap->new_length;
	moved.offset = object->offset;
	int result = paged_attach(paged, &moved, object->memfd, object->number);
	/* Shared memory that stays at the old place is mapped twice, as for a length of 0. */
	bool stays = remap->length == 0 ||
		     ((remap->flags & MREMAP_DONTUNMAP) && moved.kind != PAGERD_ANON_PRIVATE);
	if (result == 0 && !stays)
		result = remap_vacate(paged, remap, &moved);
	if (result < 0) {
		if (regions_overlap(&paged->regions, moved.start, moved.end))
			paged_release(paged, moved.start, moved.end);
		sys_munmap(moved.start, moved.end - moved.start);
		return result;
	}
	return place;
}

/* Private memory only. */
static long remap_copy(struct paged *paged, const struct region *in_table,
		       const struct remap *remap)
{
	const struct region region = *in_table;
	int protection = region.protection, refused;
	struct mapping mapping = {
		.address = remap->new_address,
		.length = remap->new_length,
		.protection = PROT_READ | PROT_WRITE,
		.flags =
			MAP_PRIVATE | MAP_ANONYMOUS | (remap->flags & MREMAP_FIXED ? MAP_FIXED : 0),
		.fd = -1,
		.kind = PAGERD_ANON_PRIVATE,
	};
	long place = paged_mmap(paged, &mapping, &refused);
	if (place < 0)
		return place;
	int result = sys_mprotect(remap->address, remap->length, protection | PROT_READ);
	if (result == 0) {
		memcpy((void *)place, (const void *)remap->address, remap->length);
		result = paged_mprotect(paged, (uint64_t)place, remap->new_length, protection);
	}
	if (result == 0) {
		regions_mark(&paged->regions, (uint64_t)place, (uint64_t)place + remap->new_length,
			     region.flags, 0);
		result = remap_vacate(paged, remap, &region);
	}
	if (result < 0)
		paged_munmap(paged, (uint64_t)place, remap->new_length);
	return result < 0 ? result : place;
}

/* One region holds all that is to be moved or grown. */
static long remap_region(struct paged *paged, const struct region *in_table,
			 const struct remap *remap)
{
	struct region region = *in_table;
	struct session_object object;
	bool move = remap->flags & MREMAP_MAYMOVE;
	if (!move && region.end != remap->address + remap->length)
		return -ENOMEM;
	int result = session_open(&paged->session, remap->address, remap->new_length, &object);
	if (result == -EBUSY && region.kind == PAGERD_ANON_PRIVATE)
		return move ? remap_copy(paged, &region, remap)
			    : remap_append(paged, &region, remap);
	if (result < 0)
		return -ENOMEM;
	long place;
	if (move)
		place = remap_move(paged, &region, remap, &object);
	else if (remap_extend(paged, &region, remap, &object) < 0)
		place = -ENOMEM;
	else
		place = (long)remap->address;
	sys_close(object.memfd);
	return place;
}

/* ---- shared memory that the daemon knows as several regions ---------------------------------- */

/* Whether the pieces of the range are consecutive parts of one object. */
static bool parts_continue(struct paged *paged, const struct remap *remap)
{
	uint64_t cursor = remap->address, end = remap->address + remap->length;
	uint64_t number = 0, next = 0;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece)) {
		struct session_object object;
		if (session_open(&paged->session, piece.start, piece.end - piece.start, &object) <
		    0)
			return false;
		sys_close(object.memfd);
		if (number && (object.number != number || object.offset != next))
			return false;
		number = object.number;
		next = object.offset + (piece.end - piece.start);
	}
	return true;
}

/* Map the piece at its part of the new place, grown by more bytes. */
static int part_attach(struct paged *paged, const struct piece *piece, uint64_t start,
		       uint64_t more)
{
	struct region part = *piece->region;
	struct session_object object;
	uint64_t bytes = piece->end - piece->start + more;
	int result = regions_reserve(&paged->regions, 4);
	if (result == 0)
		result = session_open(&paged->session, piece->start, bytes, &object);
	if (result < 0)
		return result;
	part.start = start;
	part.end = start + bytes;
	part.offset = object.offset;
	result = paged_attach(paged, &part, object.memfd, object.number);
	sys_close(object.memfd);
	return result;
}

static long parts_move(struct paged *paged, const struct remap *remap)
{
	uint64_t cursor = remap->address, end = remap->address + remap->length;
	struct piece piece;
	if (!parts_continue(paged, remap))
		return -EFAULT;
	long place = remap_place(paged, remap);
	int result = place < 0 ? (int)place : 0;
	while (result == 0 && regions_piece(&paged->regions, &cursor, end, &piece))
		result = part_attach(paged, &piece, (uint64_t)place + piece.start - remap->address,
				     piece.end == end ? remap->new_length - remap->length : 0);
	if (result == 0 && !(remap->flags & MREMAP_DONTUNMAP))
		result = paged_munmap(paged, remap->address, remap->length);
	if (result < 0 && place >= 0)
		paged_munmap(paged, (uint64_t)place, remap->new_length);
	return result < 0 ? result : place;
}

/* Only the last part grows. */
static long parts_grow(struct paged *paged, const struct remap *remap)
{
	const struct region *last =
		regions_lookup(&paged->regions, remap->address + remap->length - PAGE_BYTES);
	struct remap grown = *remap;
	grown.address = last->start;
	grown.length -= last->start - remap->address;
	grown.new_length -= last->start - remap->address;
	long place = remap_region(paged, last, &grown);
	return place < 0 ? place : (long)remap->address;
}

/* ---------------------------------------------------------------------------------------------- */

/* The region at the range's start, if the rest of the range continues it: is that region, or is
 * memory of the same kind and protection. */
static const struct region *remap_source(const struct paged *paged, const struct remap *remap)
{
	const struct region *first = regions_lookup(&paged->regions, remap->address);
	uint64_t cursor = remap->address;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, remap->address + remap->length, &piece)) {
		if (!piece.region)
			return NULL;
		if (!region_is_anonymous(first) &&
		    piece.region->offset != first->offset + (piece.region->start - first->start))
			return NULL;
		if ((piece.region->kind != first->kind &&
		     !(region_is_anonymous(first) && region_is_anonymous(piece.region))) ||
		    piece.region->protection != first->protection ||
		    piece.region->flags != first->flags)
			return NULL;
	}
	return first;
}

/* Cut the tail off. Returns the address. */
static long remap_shrink(struct paged *paged, struct remap *remap)
{
	int result = paged_munmap(paged, remap->address + remap->new_length,
				  remap->length - remap->new_length);
	if (result < 0)
		return result;
	remap->length = remap->new_length;
	return (long)remap->address;
}

/* Memory of the kernel's own, to a place where some is paged. By way of a third place, because a
 * call that fails must leave all as it was. (Newer kernels move ranges with gaps, and leave what
 * is at the gaps' new places: here they are refused, as by older ones.) */
static long remap_onto(struct paged *paged, const struct remap *remap)
{
	uint64_t end = remap->new_address + remap->new_length;
	if (remap->length > 0 && sys_msync(remap->address, remap->length, MS_ASYNC) < 0)
		return -EFAULT;
	long aside = sys_mmap(0, remap->new_length, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (aside < 0)
		return aside;
	long moved = sys_mremap(remap->address, remap->length, remap->new_length, remap->flags,
				(uint64_t)aside);
	if (moved < 0) {
		sys_munmap((uint64_t)aside, remap->new_length);
		return moved;
	}
	int result = paged_release(paged, remap->new_address, end);
	uint64_t to = result < 0 ? remap->address : remap->new_address;
	moved = sys_mremap((uint64_t)aside, remap->new_length, remap->new_length,
			   MREMAP_MAYMOVE | MREMAP_FIXED, to);
	return result < 0 ? result : moved;
}

static long remap_plain(struct paged *paged, const struct remap *remap)
{
	if ((remap->flags & MREMAP_FIXED) && remap_valid(remap) &&
	    regions_overlap(&paged->regions, remap->new_address,
			    remap->new_address + remap->new_length))
		return remap_onto(paged, remap);
	return sys_mremap(remap->address, remap->length, remap->new_length, remap->flags,
			  remap->new_address);
}

static bool remap_mapped(const struct paged *paged, uint64_t address)
{
	return regions_lookup(&paged->regions, address) ||
	       sys_msync(address, PAGE_BYTES, MS_ASYNC) == 0;
}

/* Whether the object itself can be mapped as remap says: one region holds the range, and the pages
 * behind it in the object, if private memory is to grow into them, are not part of the same. */
static bool remap_alone(const struct paged *paged, const struct region *region,
			const struct remap *remap)
{
	uint64_t end = remap->address + remap->length;
	const struct region *next = regions_lookup(&paged->regions, end);
	if (end > region->end)
		return false;
	return remap->new_length <= remap->length ||
	       (!region_is_anonymous(region) && !region_is_private(region)) || !next ||
	       next->registration != region->registration;
}

/* No shrinking is left to do. */
static long remap_kept(struct paged *paged, const struct region *region, const struct remap *remap)
{
	bool private = region_is_anonymous(region) || region_is_private(region);
	if (private && remap->length == 0)
		return -EINVAL;
	if (remap->length == remap->new_length &&
	    !(remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		return (long)remap->address;
	if (region->kind == PAGERD_FILE_PRIVATE && (remap->flags & MREMAP_MAYMOVE))
		return remap->new_length == remap->length || remap_alone(paged, region, remap)
			       ? remap_file_private(paged, region, remap)
			       : -ENOMEM;
	if (region->kind != PAGERD_ANON_FORKED && remap_alone(paged, region, remap))
		return remap_region(paged, region, remap);
	bool move = remap->flags & MREMAP_MAYMOVE;
	if (!private)
		return move ? parts_move(paged, remap) : parts_grow(paged, remap);
	return move ? remap_copy(paged, region, remap) : remap_append(paged, region, remap);
}

static long remap_paged(struct paged *paged, struct remap *remap)
{
	bool shrink = remap->new_length < remap->length;
	bool move = remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
	if (shrink && !move)
		return remap_mapped(paged, remap->address) ? remap_shrink(paged, remap) : -EFAULT;
	struct remap kept = *remap;
	kept.length = shrink ? remap->new_length : remap->length;
	if (!remap_source(paged, &kept))
		return -EFAULT;
	long result = shrink ? remap_shrink(paged, remap) : 0;
	if (result < 0)
		return result;
	return remap_kept(paged, remap_source(paged, remap), remap);
}

/* A second mapping to where the first is: that is unmapped, and then missed. */
static bool remap_onto_self(struct paged *paged, const struct remap *remap)
{
	const struct region *region = regions_lookup(&paged->regions, remap->address);
	return remap->length == 0 && (remap->flags & MREMAP_FIXED) &&
	       remap->address >= remap->new_address &&
	       remap->address < remap->new_address + remap->new_length && region &&
	       !region_is_anonymous(region) && !region_is_private(region) &&
	       paged_munmap(paged, remap->new_address, remap->new_length) == 0;
}

long paged_mremap(struct paged *paged, uint64_t address, uint64_t length, uint64_t new_length,
		  int flags, uint64_t new_address)
{
	struct remap remap = {
		.address = address,
		.length = page_round_up(length),
		.new_length = page_round_up(new_length),
		.flags = flags,
		.new_address = flags & MREMAP_FIXED ? new_address : 0,
	};
	int result = regions_reserve(&paged->regions, 4);
	if (result < 0)
		return result;
	if (remap.new_length >= ADDRESS_SPACE)
		return sys_mremap(address, length, new_length, flags, new_address);
	uint64_t end = address + (remap.length ? remap.length : PAGE_BYTES);
	if (!remap_valid(&remap) || !regions_overlap(&paged->regions, address, end))
		return remap_plain(paged, &remap);
	bool locked = paged_locked(paged, address, end - address);
	if (locked && remap.new_length > remap.length)
		result = paged_lock_allowed(remap.new_length - remap.length);
	if (result < 0)
		return result;
	long place = remap_onto_self(paged, &remap) ? -EFAULT : remap_paged(paged, &remap);
	if (!locked || place < 0)
		return place;
	/* A lock goes along, and does not stay. */
	if (flags & MREMAP_DONTUNMAP)
		paged_munlock(paged, address, length);
	paged_mlock_moved(paged, (uint64_t)place, remap.length, remap.new_length);
	return place;
}
