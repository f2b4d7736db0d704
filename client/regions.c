/* SPDX-License-Identifier: MIT */
/* The client's own table of its paged ranges. */
#include "regions.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sys.h"

#define ROOM_FIRST (PAGE_BYTES / sizeof(struct region))

int regions_reserve(struct regions *regions, size_t more)
{
	size_t room = regions->room ? regions->room : ROOM_FIRST;
	while (room < regions->count + more)
		room *= 2;
	if (room == regions->room)
		return 0;
	long memory = sys_mmap(0, room * sizeof(struct region), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory < 0)
		return -ENOMEM;
	struct region *entries = (struct region *)memory;
	if (regions->count > 0)
		memcpy(entries, regions->entries, regions->count * sizeof(*entries));
	size_t count = regions->count;
	regions_finish(regions);
	*regions = (struct regions){.entries = entries, .count = count, .room = room};
	return 0;
}

void regions_finish(struct regions *regions)
{
	if (regions->entries)
		sys_munmap((uint64_t)regions->entries, regions->room * sizeof(struct region));
	*regions = (struct regions){.entries = NULL};
}

/* Index of the first region that ends after address (may be the count). */
static size_t regions_index(const struct regions *regions, uint64_t address)
{
	size_t low = 0, high = regions->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (regions->entries[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct region *regions_lookup(const struct regions *regions, uint64_t address)
{
	size_t index = regions_index(regions, address);
	if (index == regions->count || regions->entries[index].start > address)
		return NULL;
	return &regions->entries[index];
}

bool regions_overlap(const struct regions *regions, uint64_t start, uint64_t end)
{
	size_t index = regions_index(regions, start);
	return index < regions->count && regions->entries[index].start < end;
}

bool regions_piece(const struct regions *regions, uint64_t *cursor, uint64_t end,
		   struct piece *piece)
{
	if (*cursor >= end)
		return false;
	size_t index = regions_index(regions, *cursor);
	const struct region *next = index < regions->count ? &regions->entries[index] : NULL;
	*piece = (struct piece){.start = *cursor, .end = end};
	if (next && next->start <= *cursor) {
		piece->region = next;
		piece->end = next->end < end ? next->end : end;
	} else if (next && next->start < end) {
		piece->end = next->start;
	}
	*cursor = piece->end;
	return true;
}

/* Make count entries disappear (or appear, unset, if negative) at index. */
static void regions_shift(struct regions *regions, size_t index, long count)
{
	struct region *at = regions->entries + index;
	size_t tail = regions->count - index - (count > 0 ? (size_t)count : 0);
	if (count > 0)
		memmove(at, at + count, tail * sizeof(*at));
	else
		memmove(at - count, at, tail * sizeof(*at));
	regions->count -= (size_t)count;
}

static bool region_continues(const struct region *left, const struct region *right)
{
	return left->end == right->start && left->registration == right->registration &&
	       left->offset + (left->end - left->start) == right->offset &&
	       left->kind == right->kind && left->protection == right->protection &&
	       left->flags == right->flags;
}

/* Merge the entries at index - 1 and index if they are one region. */
static void regions_merge(struct regions *regions, size_t index)
{
	if (index == 0 || index >= regions->count)
		return;
	struct region *right = regions->entries + index;
	if (!region_continues(right - 1, right))
		return;
	right[-1].end = right->end;
	regions_shift(regions, index, 1);
}

/* Make address a border of entries. */
static void regions_split(struct regions *regions, uint64_t address)
{
	size_t index = regions_index(regions, address);
	if (index == regions->count || regions->entries[index].start >= address)
		return;
	regions_shift(regions, index, -1);
	struct region *left = regions->entries + index;
	struct region *right = left + 1;
	*left = *right;
	left->end = address;
	right->offset += address - left->start;
	right->start = address;
}

void regions_insert(struct regions *regions, const struct region *region)
{
	size_t index = regions_index(regions, region->start);
	regions_shift(regions, index, -1);
	regions->entries[index] = *region;
	regions_merge(regions, index + 1);
	regions_merge(regions, index);
}

void regions_remove(struct regions *regions, uint64_t start, uint64_t end)
{
	regions_split(regions, start);
	regions_split(regions, end);
	size_t first = regions_index(regions, start);
	size_t last = first;
	while (last < regions->count && regions->entries[last].end <= end)
		last++;
	regions_shift(regions, first, (long)(last - first));
}

/* Split at both ends of [start, end), apply change, and merge what has become alike. */
static void regions_change(struct regions *regions, uint64_t start, uint64_t end,
			   void (*change)(struct region *, unsigned, unsigned), unsigned a,
			   unsigned b)
{
	regions_split(regions, start);
	regions_split(regions, end);
	size_t first = regions_index(regions, start);
	size_t last = first;
	for (; last < regions->count && regions->entries[last].end <= end; last++)
		change(&regions->entries[last], a, b);
	for (size_t index = last + 1; index-- > first;)
		regions_merge(regions, index);
}

static void region_set_protection(struct region *region, unsigned protection, unsigned unused)
{
	region->protection = (uint16_t)protection;
}

static void region_set_flags(struct region *region, unsigned set, unsigned clear)
{
	region->flags = (uint16_t)((region->flags | set) & ~clear);
}

void regions_protect(struct regions *regions, uint64_t start, uint64_t end, int protection)
{
	regions_change(regions, start, end, region_set_protection, (unsigned)protection, 0);
}

void regions_mark(struct regions *regions, uint64_t start, uint64_t end, unsigned set,
		  unsigned clear)
{
	regions_change(regions, start, end, region_set_flags, set, clear);
}
