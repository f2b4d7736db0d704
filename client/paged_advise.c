/* SPDX-License-Identifier: MIT */
/* madvise, msync and sync where some of the memory is the daemon's. */
#include <errno.h>
#include <sys/mman.h>

#include "paged.h"
#include "sys.h"

/* Newer than Debian 12's headers. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static int advise_mark(struct paged *paged, const struct piece *piece, unsigned set, unsigned clear)
{
	int result = regions_reserve(&paged->regions, 2);
	if (result == 0)
		regions_mark(&paged->regions, piece->start, piece->end, set, clear);
	return result;
}

/* Contents of private memory become zeros; shared memory stays as it is, as with any file. */
static int advise_discard(struct paged *paged, const struct piece *piece, int advice)
{
	bool private = region_is_private(piece->region);
	if (!private && !region_is_anonymous(piece->region))
		return 0;
	int result = session_range(&paged->session, PAGERD_DISCARD, piece->start,
				   piece->end - piece->start, 0);
	/* Private pages are the kernel's. */
	if (result == 0 && private)
		result = sys_madvise(piece->start, piece->end - piece->start, advice);
	return result;
}

/* Of shared anonymous memory only: holes in files are not the pager's to punch. */
static int advise_remove(struct paged *paged, const struct piece *piece)
{
	switch (piece->region->kind) {
	case PAGERD_ANON_SHARED:
		return session_range(&paged->session, PAGERD_DISCARD, piece->start,
				     piece->end - piece->start, 0);
	case PAGERD_FILE_SHARED:
		return -EOPNOTSUPP;
	case PAGERD_FILE_PRIVATE:
		return -EACCES;
	default:
		return -EINVAL;
	}
}

/* Behind the end of a file the kernel finds our marks. */
static int advise_populate(const struct piece *piece, int advice)
{
	int result = sys_madvise(piece->start, piece->end - piece->start, advice);
	return result == -EHWPOISON ? -EFAULT : result;
}

/* What the kernel does not do to locked memory. */
static bool advice_unlocked(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE ||
	       advice == MADV_COLD || advice == MADV_PAGEOUT;
}

/* One piece of paged memory. The kernel gets only what cannot drop pages or their protection
 * markers: to it this is a shared memory file, so that some advice would mean another thing. */
static int advise_paged(struct paged *paged, const struct piece *piece, int advice)
{
	bool private = region_is_anonymous(piece->region);
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return session_range(&paged->session, PAGERD_ADVISE, piece->start,
				     piece->end - piece->start, (uint32_t)advice);
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		return advise_discard(paged, piece, advice);
	case MADV_FREE:
		return private ? advise_discard(paged, piece, MADV_DONTNEED) : -EINVAL;
	case MADV_REMOVE:
		return advise_remove(paged, piece);
	case MADV_DONTFORK:
		return advise_mark(paged, piece, REGION_DONTFORK, 0);
	case MADV_DOFORK:
		return advise_mark(paged, piece, 0, REGION_DONTFORK);
	case MADV_WIPEONFORK:
		return private ? advise_mark(paged, piece, REGION_WIPEONFORK, 0) : -EINVAL;
	case MADV_KEEPONFORK:
		return advise_mark(paged, piece, 0, REGION_WIPEONFORK);
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_COLLAPSE:
		return sys_madvise(piece->start, piece->end - piece->start, advice);
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return advise_populate(piece, advice);
	default:
		return -EINVAL;
	}
}

/* The same up to what is locked, if that forbids it. */
static int advise_unlocked(struct paged *paged, const struct piece *piece, int advice)
{
	struct piece before = *piece;
	if (!paged->locks || !advice_unlocked(advice))
		return advise_paged(paged, piece, advice);
	before.end = piece->start + paged_unlocked(paged, piece->start, piece->end - piece->start);
	int result = before.end > piece->start ? advise_paged(paged, &before, advice) : 0;
	return result == 0 && before.end < piece->end ? -EINVAL : result;
}

/* As the kernel: a part where nothing is mapped does not stop the rest (but it does stop
 * populating), any other error does. */
int paged_madvise(struct paged *paged, uint64_t address, uint64_t length, int advice)
{
	uint64_t cursor = address;
	uint64_t end = address + page_round_up(length);
	if (!range_valid(address, length) || !regions_overlap(&paged->regions, address, end))
		return sys_madvise(address, length, advice);
	int holes = 0;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece)) {
		int result = piece.region
				     ? advise_unlocked(paged, &piece, advice)
				     : sys_madvise(piece.start, piece.end - piece.start, advice);
		bool populate = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
		if (result == -ENOMEM && !piece.region && !populate)
			holes = result;
		else if (result < 0)
			return result;
	}
	return holes;
}

int paged_msync(struct paged *paged, uint64_t address, uint64_t length, int flags)
{
	const int known = MS_ASYNC | MS_INVALIDATE | MS_SYNC;
	uint64_t cursor = address;
	uint64_t end = address + page_round_up(length);
	if (!range_valid(address, length) || (flags & ~known) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC) ||
	    !regions_overlap(&paged->regions, address, end))
		return sys_msync(address, length, flags);
	int holes = 0;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, end, &piece)) {
		uint64_t bytes = piece.end - piece.start;
		if (piece.region && (flags & MS_INVALIDATE) &&
		    paged_locked(paged, piece.start, bytes))
			return -EBUSY;
		int result = piece.region ? session_range(&paged->session, PAGERD_SYNC, piece.start,
							  bytes, (uint32_t)flags)
					  : sys_msync(piece.start, bytes, flags);
		if (result == -ENOMEM && !piece.region)
			holes = result;
		else if (result < 0)
			return result;
	}
	return holes;
}

int paged_settle(struct paged *paged)
{
	const struct region *first = NULL, *last = NULL;
	for (size_t i = 0; i < paged->regions.count; i++) {
		const struct region *region = &paged->regions.entries[i];
		if (!region_stores(region))
			continue;
		first = first ? first : region;
		last = region;
	}
	if (!first)
		return 0;
	return session_range(&paged->session, PAGERD_SYNC, first->start, last->end - first->start,
			     PAGERD_SYNC_WRITTEN);
}
