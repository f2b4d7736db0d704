/* SPDX-License-Identifier: MIT */
/*
 * mlock and its relatives where some of the memory is the daemon's.
 *
 * The kernel does it all: what may be locked, how much, the errors, and bringing the pages in. The
 * daemon is told what is locked, so that it leaves it there, beforehand, or the first pages would
 * go while the last come. What is locked in the end the kernel knows: where it is, it refuses
 * MADV_COLD, which does no harm elsewhere.
 */
#include <errno.h>
#include <sys/mman.h>

#include "paged.h"
#include "sys.h"

#define MLOCK_KNOWN 1u /* MLOCK_ONFAULT */

bool paged_locked(const struct paged *paged, uint64_t address, uint64_t length)
{
	return paged->locks && sys_madvise(address, length, MADV_COLD) == -EINVAL;
}

uint64_t paged_unlocked(const struct paged *paged, uint64_t address, uint64_t length)
{
	uint64_t low = 0, high = length;
	if (!paged_locked(paged, address, length))
		return length;
	while (high - low > PAGE_BYTES) {
		uint64_t middle = low + (high - low) / 2 / PAGE_BYTES * PAGE_BYTES;
		if (paged_locked(paged, address, middle))
			high = middle;
		else
			low = middle;
	}
	return low;
}

int paged_lock_allowed(uint64_t length)
{
	long trial = sys_mmap(0, length, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_LOCKED, -1, 0);
	return trial < 0 ? (int)trial : sys_munmap((uint64_t)trial, length);
}

void paged_lock_copies(struct paged *paged, uint64_t start, uint64_t end)
{
	const struct region *region = regions_lookup(&paged->regions, start);
	if (region->flags & REGION_ONFAULT)
		return;
	for (uint64_t at = start; at < end && paged->locks; at += PAGE_BYTES) {
		at += paged_unlocked(paged, at, end - at);
		if (at < end)
			sys_madvise(at, PAGE_BYTES, MADV_POPULATE_WRITE);
	}
}

static void lock_tell(struct paged *paged, uint64_t start, uint64_t end, bool always)
{
	uint64_t cursor = start;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece)) {
		uint64_t length = piece.end - piece.start;
		if (piece.region)
			session_range(&paged->session, PAGERD_WIRE, piece.start, length,
				      always || paged_locked(paged, piece.start, length));
	}
}

/* Remember how it is locked: what the kernel has come to, which is up to the first hole. */
static void lock_mark(struct paged *paged, uint64_t start, uint64_t end, bool onfault)
{
	uint64_t cursor = start;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece) &&
	       regions_reserve(&paged->regions, 2) == 0) {
		if (!paged_locked(paged, piece.start, piece.end - piece.start))
			return;
		regions_mark(&paged->regions, piece.start, piece.end, onfault ? REGION_ONFAULT : 0,
			     onfault ? 0 : REGION_ONFAULT);
	}
}

/* The pages that the bytes touch, or nothing that could be locked. */
static bool lock_range(const struct paged *paged, uint64_t *start, uint64_t *end)
{
	uint64_t length = *end;
	*end = page_round_up(*start + length);
	*start &= ~(PAGE_BYTES - 1);
	return length && range_valid(*start, length) &&
	       regions_overlap(&paged->regions, *start, *end);
}

int paged_mlock(struct paged *paged, uint64_t address, uint64_t length, unsigned flags)
{
	uint64_t start = address, end = length;
	bool paging = lock_range(paged, &start, &end) && !(flags & ~MLOCK_KNOWN);
	if (paging) {
		paged->locks = true;
		lock_tell(paged, start, end, true);
	}
	int result = sys_mlock(address, length, flags);
	if (paging)
		lock_mark(paged, start, end, flags & MLOCK_KNOWN);
	if (paging && result < 0)
		lock_tell(paged, start, end, false);
	return result;
}

int paged_mlock_moved(struct paged *paged, uint64_t address, uint64_t length, uint64_t new_length)
{
	const struct region *region = regions_lookup(&paged->regions, address);
	uint64_t kept = length < new_length ? length : new_length;
	unsigned flags = region && region->flags & REGION_ONFAULT ? MLOCK_KNOWN : 0;
	/* The kernel's own move took the lock along, and brings nothing in. */
	if (!region || region->kind != PAGERD_FILE_PRIVATE)
		kept = 0;
	lock_tell(paged, address, address + kept, false);
	return kept < new_length ? paged_mlock(paged, address + kept, new_length - kept, flags) : 0;
}

int paged_munlock(struct paged *paged, uint64_t address, uint64_t length)
{
	uint64_t start = address, end = length;
	int result = sys_munlock(address, length);
	if (!paged->locks || !lock_range(paged, &start, &end))
		return result;
	lock_tell(paged, start, end, false);
	if (regions_reserve(&paged->regions, 2) == 0)
		regions_mark(&paged->regions, start, end, 0, REGION_ONFAULT);
	return result;
}

int paged_mlockall(struct paged *paged, int flags)
{
	uint64_t end =
		paged->regions.count ? paged->regions.entries[paged->regions.count - 1].end : 0;
	bool paging = end && (flags & MCL_CURRENT);
	if (paging) {
		paged->locks = true;
		lock_tell(paged, 0, end, true);
	}
	int result = sys_mlockall(flags);
	if (paging && result == 0 && regions_reserve(&paged->regions, 2) == 0)
		regions_mark(&paged->regions, 0, end, flags & MCL_ONFAULT ? REGION_ONFAULT : 0,
			     flags & MCL_ONFAULT ? 0 : REGION_ONFAULT);
	if (paging && result < 0)
		lock_tell(paged, 0, end, false);
	return result;
}

int paged_munlockall(struct paged *paged)
{
	int result = sys_munlockall();
	uint64_t end =
		paged->regions.count ? paged->regions.entries[paged->regions.count - 1].end : 0;
	if (paged->locks && end) {
		lock_tell(paged, 0, end, false);
		regions_mark(&paged->regions, 0, end, 0, REGION_ONFAULT);
	}
	paged->locks = false;
	return result;
}
