/* SPDX-License-Identifier: MIT */
/* Bounce memory: page-aligned buffers that block I/O reads into and writes from. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bounce.h"

#define HUGE_BYTES ((size_t)BOUNCE_BLOCK << 12) /* and where they are larger, nothing is lost */

/* In huge pages, where the kernel has them: a transfer of scattered small pages is cut into
 * segments of one page each, and a disk that could take it in one piece takes twice as long. */
static void *bounce_map(size_t bytes)
{
	size_t room = bytes + HUGE_BYTES;
	unsigned char *base =
		mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	size_t before = -(uintptr_t)base % HUGE_BYTES;
	if (before)
		munmap(base, before);
	munmap(base + before + bytes, room - before - bytes);
	madvise(base + before, bytes, MADV_HUGEPAGE);
	return base + before;
}

int bounce_init(struct bounce *bounce, uint32_t pages)
{
	uint64_t *map = malloc(pages / 64 * sizeof *map);
	if (!map)
		return -ENOMEM;
	void *base = bounce_map((size_t)pages << 12);
	if (!base) {
		free(map);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < pages / 64; i++)
		map[i] = ~0ull;
	*bounce = (struct bounce){
		.base = base,
		.pages = pages,
		.free_pages = pages,
		.map = map,
	};
	return 0;
}

void bounce_finish(struct bounce *bounce)
{
	if (bounce->base)
		munmap(bounce->base, (size_t)bounce->pages << 12);
	free(bounce->map);
	*bounce = (struct bounce){0};
}

/* The first page in [from, end) that is free, or is not; end if there is none. from < end. */
static uint32_t bounce_next(const struct bounce *bounce, uint32_t from, uint32_t end, bool is_free)
{
	uint64_t invert = is_free ? 0 : ~0ull;
	uint64_t word = (bounce->map[from / 64] ^ invert) & ~0ull << from % 64;
	from -= from % 64;
	while (!word) {
		from += 64;
		if (from >= end)
			return end;
		word = bounce->map[from / 64] ^ invert;
	}
	from += (uint32_t)__builtin_ctzll(word);
	return from < end ? from : end;
}

/* The first run of count free pages in [from, end), or BOUNCE_NONE. */
static uint32_t bounce_search(const struct bounce *bounce, uint32_t from, uint32_t end,
			      uint32_t count)
{
	while (from < end && count <= end - from) {
		from = bounce_next(bounce, from, end, true);
		if (count > end - from)
			break;
		uint32_t used = bounce_next(bounce, from, from + count, false);
		if (used == from + count)
			return from;
		from = used;
	}
	return BOUNCE_NONE;
}

static _Noreturn void bounce_bug(uint32_t page, const char *broken)
{
	fprintf(stderr, "pagerd: bounce page %u: broken invariant: %s\n", page, broken);
	abort();
}

/* Flip pages that must all be used (to free them) or all be free. */
static void bounce_flip(struct bounce *bounce, uint32_t first, uint32_t count, bool to_free)
{
	while (count) {
		uint32_t some = 64 - first % 64;
		some = some < count ? some : count;
		uint64_t mask = ~0ull >> (64 - some) << first % 64;
		uint64_t *word = &bounce->map[first / 64];
		if ((*word & mask) != (to_free ? 0 : mask))
			bounce_bug(first, to_free ? "what is freed was in use"
						  : "what is handed out was free");
		*word ^= mask;
		first += some;
		count -= some;
	}
}

uint32_t bounce_alloc(struct bounce *bounce, uint32_t count)
{
	if (!count || count > bounce->free_pages)
		return BOUNCE_NONE;
	uint32_t first = BOUNCE_NONE;
	for (uint32_t block = 0; first == BOUNCE_NONE && block < bounce->pages;
	     block += BOUNCE_BLOCK) {
		uint32_t left = bounce->pages - block;
		first = bounce_search(bounce, block,
				      block + (left < BOUNCE_BLOCK ? left : BOUNCE_BLOCK), count);
	}
	if (first == BOUNCE_NONE)
		return BOUNCE_NONE;
	bounce_flip(bounce, first, count, false);
	bounce->free_pages -= count;
	return first;
}

void bounce_free(struct bounce *bounce, uint32_t first, uint32_t count)
{
	if (first > bounce->pages || count > bounce->pages - first)
		bounce_bug(first, "what is freed lies inside");
	bounce_flip(bounce, first, count, true);
	bounce->free_pages += count;
}
