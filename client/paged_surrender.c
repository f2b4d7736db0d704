/* SPDX-License-Identifier: MIT */
/* Private memory that becomes the kernel's again, with its contents. */
#include <string.h>
#include <sys/mman.h>

#include "paged.h"
#include "sys.h"

/* Pages of zeros are left out: to whoever looks for missing pages, untouched ones must be. */
static void copy_pages(char *to, const char *from, uint64_t bytes)
{
	static const char zeros[PAGE_BYTES];
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
		if (memcmp(from + at, zeros, PAGE_BYTES) != 0)
			memcpy(to + at, from + at, PAGE_BYTES);
}

static int surrender_piece(struct paged *paged, const struct piece *piece)
{
	const struct region region = *piece->region;
	uint64_t bytes = piece->end - piece->start;
	long aside = sys_mmap(0, bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (aside < 0)
		return (int)aside;
	int result = sys_mprotect(piece->start, bytes, PROT_READ);
	if (result == 0) {
		copy_pages((char *)aside, (const char *)piece->start, bytes);
		result = sys_mprotect((uint64_t)aside, bytes, region.protection);
	}
	if (result == 0)
		result = paged_release(paged, piece->start, piece->end);
	if (result < 0) {
		sys_mprotect(piece->start, bytes, region.protection);
		sys_munmap((uint64_t)aside, bytes);
		return result;
	}
	if (region.flags & REGION_DONTFORK)
		sys_madvise((uint64_t)aside, bytes, MADV_DONTFORK);
	if (region.flags & REGION_WIPEONFORK)
		sys_madvise((uint64_t)aside, bytes, MADV_WIPEONFORK);
	long place = sys_mremap((uint64_t)aside, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
				piece->start);
	return place < 0 ? (int)place : 0;
}

int paged_surrender(struct paged *paged, uint64_t address, uint64_t length)
{
	uint64_t cursor = address;
	struct piece piece;
	while (regions_piece(&paged->regions, &cursor, address + page_round_up(length), &piece)) {
		if (!piece.region || !region_is_anonymous(piece.region))
			continue;
		int result = regions_reserve(&paged->regions, 1);
		if (result < 0)
			return result;
		piece.region = regions_lookup(&paged->regions, piece.start);
		result = surrender_piece(paged, &piece);
		if (result < 0)
			return result;
	}
	return 0;
}
