/* SPDX-License-Identifier: MIT */
/* mmap, munmap and mprotect where some of the memory is the daemon's. */
#include "paged.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "agent.h"
#include "sys.h"

/* No user address is higher, whatever the machine's page tables. */
#define ADDRESS_MAX (1ull << 56)

uint64_t page_round_up(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

bool range_valid(uint64_t address, uint64_t length)
{
	return address % PAGE_BYTES == 0 && length > 0 && length <= ADDRESS_MAX &&
	       address <= ADDRESS_MAX - page_round_up(length);
}

int paged_attach(struct paged *paged, const struct region *region, int memfd, uint64_t object)
{
	uint64_t length = region->end - region->start;
	bool private = (region->flags & REGION_READ_ONLY) || region_is_private(region);
	int sharing = private ? MAP_PRIVATE : MAP_SHARED;
	/* Inaccessible until it is registered: what is touched before would be filled by the
	 * kernel, with zeros. (Also what keeps mlockall from touching it.) */
	long result = sys_mmap(region->start, length, PROT_NONE,
			       sharing | MAP_FIXED | MAP_NORESERVE, memfd, region->offset);
	if (result < 0)
		return (int)result;
	result = sys_madvise(region->start, length, MADV_DONTFORK);
	if (result == 0)
		result = session_register(&paged->session, region->start, length, object,
					  region->offset);
	if (result < 0)
		return (int)result;
	if (region->protection != PROT_NONE)
		result = sys_mprotect(region->start, length, region->protection);
	if (result < 0) {
		session_range(&paged->session, PAGERD_UNMAP, region->start, length, 0);
		return (int)result;
	}
	struct region entry = *region;
	entry.registration = ++paged->registrations;
	regions_insert(&paged->regions, &entry);
	if (region_stores(&entry))
		__atomic_store_n(&paged->stores, true, __ATOMIC_RELAXED);
	return 0;
}

/* Where start or end lies inside a region, make the kernel split its mapping there, by a change of
 * protection. Splitting can fail for want of memory, and must not do so after the daemon has
 * forgotten the range. */
static int paged_split(struct paged *paged, uint64_t start, uint64_t end)
{
	uint64_t cursor = start;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece)) {
		const struct region *region = piece.region;
		if (!region || (region->start == piece.start && region->end == piece.end) ||
		    region->protection == PROT_NONE)
			continue;
		int result = sys_mprotect(piece.start, piece.end - piece.start, PROT_NONE);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Undo paged_split. */
static void paged_unsplit(struct paged *paged, uint64_t start, uint64_t end)
{
	uint64_t cursor = start;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece))
		if (piece.region)
			sys_mprotect(piece.start, piece.end - piece.start,
				     piece.region->protection);
}

int paged_release(struct paged *paged, uint64_t start, uint64_t end)
{
	int result = paged_split(paged, start, end);
	if (result == 0)
		result = session_range(&paged->session, PAGERD_UNMAP, start, end - start, 0);
	/* A daemon that has gone holds nothing back. */
	if (result == -ENOTCONN)
		paged->orphaned = true;
	else if (result < 0) {
		paged_unsplit(paged, start, end);
		return result;
	}
	regions_remove(&paged->regions, start, end);
	return 0;
}

static bool mapping_replaces(const struct mapping *mapping)
{
	return (mapping->flags & MAP_FIXED) && !(mapping->flags & MAP_FIXED_NOREPLACE);
}

/* Whether mapping asks for zeros over nothing but paged private memory: then its object may
 * stay, however small the piece. Runtimes that reserve much and commit it bit by bit do this. */
static bool mapping_refills(const struct paged *paged, const struct mapping *mapping)
{
	if (paged->locks)
		return false; /* what comes in its place is not locked */
	const int known =
		MAP_TYPE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK;
	if ((mapping->flags & ~known) || mapping->offset % PAGE_BYTES ||
	    !(mapping->flags & MAP_ANONYMOUS) || (mapping->flags & MAP_TYPE) != MAP_PRIVATE ||
	    (mapping->protection & ~(PROT_READ | PROT_WRITE)))
		return false;
	uint64_t cursor = mapping->address;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor,
			     mapping->address + page_round_up(mapping->length), &piece))
		if (!piece.region || piece.region->kind != PAGERD_ANON_PRIVATE)
			return false;
	return true;
}

static long paged_refill(struct paged *paged, const struct mapping *mapping)
{
	uint64_t length = page_round_up(mapping->length);
	int result = sys_mprotect(mapping->address, length, mapping->protection);
	if (result < 0)
		return result;
	result = session_range(&paged->session, PAGERD_DISCARD, mapping->address, length, 0);
	if (result < 0)
		return result;
	regions_protect(&paged->regions, mapping->address, mapping->address + length,
			mapping->protection);
	regions_mark(&paged->regions, mapping->address, mapping->address + length, 0,
		     REGION_DONTFORK | REGION_WIPEONFORK);
	if (mapping->flags & MAP_POPULATE)
		session_range(&paged->session, PAGERD_ADVISE, mapping->address, length,
			      MADV_WILLNEED);
	return (long)mapping->address;
}

static long mapping_plain(const struct mapping *mapping, uint64_t address, int flags)
{
	return sys_mmap(address, mapping->length, mapping->protection, flags, mapping->fd,
			mapping->offset);
}

/* Whether so much may be locked: tried before anything is changed for it, with the program's own
 * arguments, because the kernel finds other things wrong before that. Inaccessible, so that nothing
 * is brought in; and with MAP_FIXED not where something is, unless the range itself is wrong. */
static int mapping_lock_allowed(const struct mapping *mapping)
{
	bool replaces = mapping_replaces(mapping) && range_valid(mapping->address, mapping->length);
	long trial = sys_mmap(mapping->address, mapping->length, PROT_NONE,
			      replaces ? mapping->flags & ~MAP_FIXED : mapping->flags, mapping->fd,
			      mapping->offset);
	if (trial < 0)
		return trial == -EAGAIN ? (int)trial : 0; /* the call itself says what else */
	return sys_munmap((uint64_t)trial, mapping->length);
}

/* Take paged memory out of the way of a mapping with MAP_FIXED: only once the kernel has
 * accepted the other arguments, because a mmap that fails changes nothing. */
static int paged_make_room(struct paged *paged, const struct mapping *mapping)
{
	uint64_t end = mapping->address + page_round_up(mapping->length);
	long trial = mapping_plain(mapping, 0,
				   mapping->flags & ~(MAP_FIXED | MAP_POPULATE | MAP_LOCKED));
	if (trial < 0)
		return (int)trial;
	sys_munmap((uint64_t)trial, mapping->length);
	return paged_release(paged, mapping->address, end);
}

/* As the kernel, which makes the copies of private pages that may be written at once. */
static void paged_populate(struct paged *paged, const struct region *region)
{
	uint64_t length = region->end - region->start;
	session_range(&paged->session, PAGERD_ADVISE, region->start, length, MADV_WILLNEED);
	if (region->kind == PAGERD_FILE_PRIVATE && (region->protection & PROT_WRITE))
		sys_madvise(region->start, length, MADV_POPULATE_WRITE);
}

int paged_serve(struct paged *paged, const struct region *region, uint32_t shard)
{
	bool private = region_is_private(region);
	int result = private || paged->session.harvest ? agent_start(&paged->session, shard) : 0;
	return private ? result : 0;
}

/* Page the memory at address, which the kernel has mapped as mapping says. */
static int paged_place(struct paged *paged, const struct mapping *mapping, uint64_t address)
{
	uint64_t length = page_round_up(mapping->length);
	bool writable = mapping->kind != PAGERD_FILE_PRIVATE;
	if (mapping->kind == PAGERD_FILE_SHARED) {
		int mode = sys_fcntl(mapping->fd, F_GETFL, 0);
		if (mode < 0)
			return mode;
		writable = (mode & O_ACCMODE) == O_RDWR;
	}
	struct session_object object;
	int result = session_map(&paged->session, (enum pagerd_kind)mapping->kind, writable, length,
				 mapping->offset, mapping->fd, &object);
	if (result < 0)
		return result;
	struct region region = {
		.start = address,
		.end = address + length,
		.offset = object.offset,
		.kind = mapping->kind,
		.protection = (uint16_t)mapping->protection,
		.flags = object.read_only ? REGION_READ_ONLY : 0,
	};
	result = paged_serve(paged, &region, object.shard);
	if (result == 0)
		result = paged_attach(paged, &region, object.memfd, object.number);
	sys_close(object.memfd);
	if (result == 0 && (mapping->flags & MAP_POPULATE))
		paged_populate(paged, &region);
	return result;
}

/* Order: the kernel first, with the program's own arguments, so that errors are its own and an
 * address of its choice is taken; then the daemon's memory over that. */
long paged_mmap(struct paged *paged, const struct mapping *mapping, int *error)
{
	*error = regions_reserve(&paged->regions, 4);
	if (*error < 0)
		return *error;
	int allowed = mapping->locked ? mapping_lock_allowed(mapping) : 0;
	if (allowed < 0)
		return allowed;
	bool cleared = false;
	if (mapping_replaces(mapping) && range_valid(mapping->address, mapping->length) &&
	    regions_overlap(&paged->regions, mapping->address,
			    mapping->address + page_round_up(mapping->length))) {
		if (mapping_refills(paged, mapping))
			return paged_refill(paged, mapping);
		int result = paged_make_room(paged, mapping);
		if (result < 0)
			return result;
		cleared = true;
	}
	/* Without MAP_POPULATE: what it brings in would be thrown away. */
	const int later = mapping->kind ? MAP_POPULATE | MAP_LOCKED : 0;
	long address = mapping_plain(mapping, mapping->address, mapping->flags & ~later);
	/* The daemon has forgotten what was there: it must not be seen without it. */
	if (address < 0 && cleared)
		sys_munmap(mapping->address, mapping->length);
	if (address < 0 || mapping->kind == 0)
		return address;
	*error = paged_place(paged, mapping, (uint64_t)address);
	if (*error == 0 && mapping->locked)
		paged_mlock(paged, (uint64_t)address, mapping->length, mapping->onfault);
	if (*error == 0)
		return address;
	return mapping_plain(mapping, (uint64_t)address,
			     (mapping->flags & ~MAP_FIXED_NOREPLACE) | MAP_FIXED);
}

int paged_munmap(struct paged *paged, uint64_t address, uint64_t length)
{
	uint64_t end = address + page_round_up(length);
	if (range_valid(address, length) && regions_overlap(&paged->regions, address, end)) {
		int result = regions_reserve(&paged->regions, 1);
		if (result == 0)
			result = paged_release(paged, address, end);
		if (result < 0)
			return result;
	}
	return sys_munmap(address, length);
}

/* Piece by piece, as the kernel goes from mapping to mapping, and stops where one refuses. */
int paged_mprotect(struct paged *paged, uint64_t address, uint64_t length, int protection)
{
	/* What is there is protected, up to the first hole. */
	if (length > ADDRESS_MAX && address < ADDRESS_MAX && address + length > address)
		length = ADDRESS_MAX - address;
	uint64_t cursor = address;
	uint64_t end = address + page_round_up(length);
	if (!range_valid(address, length) || !regions_overlap(&paged->regions, address, end))
		return sys_mprotect(address, length, protection);
	while (cursor < end) {
		struct piece piece;
		int result = regions_reserve(&paged->regions, 2);
		if (result < 0)
			return result;
		regions_piece(&paged->regions, &cursor, end, &piece);
		if (piece.region && (piece.region->flags & REGION_READ_ONLY) &&
		    (protection & PROT_WRITE))
			return -EACCES;
		result = sys_mprotect(piece.start, piece.end - piece.start, protection);
		if (result < 0)
			return result;
		if (!piece.region)
			continue;
		if (piece.region->kind == PAGERD_FILE_PRIVATE && (protection & PROT_WRITE) &&
		    !(piece.region->protection & PROT_WRITE))
			paged_lock_copies(paged, piece.start, piece.end);
		regions_protect(&paged->regions, piece.start, piece.end, protection);
	}
	return 0;
}
