/* SPDX-License-Identifier: MIT */
/* Places: which shard has what is at an address of a client's. */
#include "places.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ADDED 2 /* most that a change can add: a place, and the end of one that it splits */

int places_reserve(struct places *places)
{
	if (places->room - places->count >= ADDED)
		return 0;
	size_t room = places->room ? places->room * 2 : 4 * ADDED;
	struct place *entries = realloc(places->entries, room * sizeof *entries);
	if (!entries)
		return -ENOMEM;
	places->entries = entries;
	places->room = room;
	return 0;
}

void places_finish(struct places *places)
{
	free(places->entries);
	*places = (struct places){0};
}

/* The first place that ends above address. */
static size_t place_above(const struct places *places, uint64_t address)
{
	size_t low = 0, high = places->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (places->entries[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Replace count places from index on by one, or by none. */
static void replace(struct places *places, size_t index, size_t count, const struct place *place)
{
	struct place *at = &places->entries[index];
	size_t added = place != NULL;
	memmove(at + added, at + count, (places->count - index - count) * sizeof *at);
	if (place)
		*at = *place;
	places->count += added;
	places->count -= count;
}

void places_clear(struct places *places, uint64_t start, uint64_t end)
{
	size_t index = place_above(places, start), last;
	struct place *place = &places->entries[index];
	if (index < places->count && place->start < start) {
		struct place tail = {place->end > end ? end : start, place->end, place->shard};
		bool split = place->end > end;
		place->end = start;
		index++;
		if (split) {
			replace(places, index, 0, &tail);
			return;
		}
	}
	for (last = index; last < places->count && places->entries[last].end <= end; last++)
		continue;
	replace(places, index, last - index, NULL);
	if (index < places->count && places->entries[index].start < end)
		places->entries[index].start = end;
}

void places_set(struct places *places, uint64_t start, uint64_t end, uint32_t shard)
{
	places_clear(places, start, end);
	size_t index = place_above(places, start), count = 0;
	struct place place = {start, end, shard};
	const struct place *next = &places->entries[index];
	if (index < places->count && next->start == end && next->shard == shard) {
		place.end = next->end;
		count++;
	}
	const struct place *before = index ? &places->entries[index - 1] : NULL;
	if (before && before->end == start && before->shard == shard) {
		place.start = before->start;
		index--;
		count++;
	}
	replace(places, index, count, &place);
}

uint64_t places_shards(const struct places *places, uint64_t start, uint64_t end)
{
	uint64_t shards = 0;
	for (size_t i = place_above(places, start);
	     i < places->count && places->entries[i].start < end; i++)
		shards |= 1ull << places->entries[i].shard;
	return shards;
}

int places_copy(struct places *to, const struct places *from)
{
	if (!from->count)
		return 0;
	to->entries = malloc(from->room * sizeof *to->entries);
	if (!to->entries)
		return -ENOMEM;
	memcpy(to->entries, from->entries, from->count * sizeof *to->entries);
	to->count = from->count;
	to->room = from->room;
	return 0;
}
