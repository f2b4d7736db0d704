/* SPDX-License-Identifier: MIT */
/*
 * Slots: which pages of the swap file are in use, and by how many.
 *
 * Beside the counts there are two sets of clusters among those that were ever used: the wholly
 * free ones and those with room. They are trees of bit words, 64 ways wide, so that the next
 * member is found in a handful of steps however large the file has grown. They lie behind
 * cluster_used in the same reservation, and what describes them on one page in front of it.
 *
 * A wholly free cluster that was used before is taken before the file grows: lowest first.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "reserve.h"
#include "slot.h"

#define CLUSTER_NONE   UINT64_MAX
#define CLUSTER_LEVELS 6 /* 64^6 is more than the 2^32 clusters of the largest map */

/* Clusters that are looked at for a long run when none is wholly free. */
#define SLOT_NEAR 8u

struct cluster_set {
	uint64_t *level[CLUSTER_LEVELS]; /* a bit of level n + 1: a word of level n is not 0 */
	unsigned levels;
};

struct slot_index {
	uint64_t limit;		   /* that the reservations were made for */
	size_t bytes;		   /* of the reservation that this lies in */
	struct cluster_set unused; /* clusters below map->end with no slot in use */
	struct cluster_set room;   /* clusters below map->end with a slot free */
};

#define SLOT_INDEX_BYTES 4096u
_Static_assert(sizeof(struct slot_index) <= SLOT_INDEX_BYTES, "it has one page");

static struct slot_index *slot_index(const struct slot_map *map)
{
	return (struct slot_index *)((unsigned char *)map->cluster_used - SLOT_INDEX_BYTES);
}

static _Noreturn void slot_bug(uint64_t slot, const char *broken)
{
	fprintf(stderr, "pagerd: slot %llu: broken invariant: %s\n", (unsigned long long)slot,
		broken);
	abort();
}

/* ---- sets of clusters -------------------------------------------------------------------- */

/* Words of a set, all levels. One more on each level stays 0, for the search that runs off the
 * end. */
static size_t cluster_set_words(uint64_t clusters)
{
	size_t words = 0;
	do {
		clusters = (clusters + 63) / 64;
		words += clusters + 1;
	} while (clusters > 1);
	return words;
}

static void cluster_set_init(struct cluster_set *set, uint64_t *words, uint64_t clusters)
{
	set->levels = 0;
	do {
		clusters = (clusters + 63) / 64;
		set->level[set->levels++] = words;
		words += clusters + 1;
	} while (clusters > 1);
}

static void cluster_set_add(struct cluster_set *set, uint64_t cluster)
{
	for (unsigned level = 0; level < set->levels; level++, cluster >>= 6) {
		uint64_t *word = &set->level[level][cluster >> 6], old = *word;
		*word |= 1ull << (cluster & 63);
		if (old)
			return;
	}
}

static void cluster_set_remove(struct cluster_set *set, uint64_t cluster)
{
	for (unsigned level = 0; level < set->levels; level++, cluster >>= 6) {
		if (set->level[level][cluster >> 6] &= ~(1ull << (cluster & 63)))
			return;
	}
}

/* The lowest member that is at least from (at most the number of clusters), or CLUSTER_NONE. */
static uint64_t cluster_set_next(const struct cluster_set *set, uint64_t from)
{
	unsigned level = 0;
	uint64_t word;
	while (!(word = set->level[level][from >> 6] & ~0ull << (from & 63))) {
		if (++level == set->levels)
			return CLUSTER_NONE;
		from = (from >> 6) + 1;
	}
	from += (uint64_t)__builtin_ctzll(word) - (from & 63);
	while (level--)
		from = from << 6 | (uint64_t)__builtin_ctzll(set->level[level][from]);
	return from;
}

static void cluster_update(struct slot_map *map, uint64_t cluster)
{
	struct slot_index *index = slot_index(map);
	unsigned used = map->cluster_used[cluster];
	if (used)
		cluster_set_remove(&index->unused, cluster);
	else
		cluster_set_add(&index->unused, cluster);
	if (used == SLOT_CLUSTER)
		cluster_set_remove(&index->room, cluster);
	else
		cluster_set_add(&index->room, cluster);
}

/* ---- life -------------------------------------------------------------------------------- */

int slot_init(struct slot_map *map, uint64_t limit)
{
	uint64_t clusters = limit / SLOT_CLUSTER;
	if (!clusters || limit > SLOT_NONE)
		return -EINVAL;
	limit = clusters * SLOT_CLUSTER;
	size_t used_bytes = (clusters * sizeof *map->cluster_used + 7) / 8 * 8;
	size_t words = cluster_set_words(clusters);
	size_t bytes = SLOT_INDEX_BYTES + used_bytes + 2 * words * sizeof(uint64_t);
	uint16_t *count = memory_reserve(limit * sizeof *count);
	unsigned char *memory = memory_reserve(bytes);
	if (!count || !memory) {
		memory_release(count, limit * sizeof *count);
		memory_release(memory, bytes);
		return -ENOMEM;
	}
	struct slot_index *index = (struct slot_index *)memory;
	uint64_t *sets = (uint64_t *)(memory + SLOT_INDEX_BYTES + used_bytes);
	index->limit = limit;
	index->bytes = bytes;
	cluster_set_init(&index->unused, sets, clusters);
	cluster_set_init(&index->room, sets + words, clusters);
	*map = (struct slot_map){
		.count = count,
		.cluster_used = (uint16_t *)(memory + SLOT_INDEX_BYTES),
		.limit = limit,
	};
	return 0;
}

void slot_finish(struct slot_map *map)
{
	if (map->count) {
		struct slot_index *index = slot_index(map);
		memory_release(map->count, index->limit * sizeof *map->count);
		memory_release(index, index->bytes);
	}
	*map = (struct slot_map){0};
}

/* ---- allocation -------------------------------------------------------------------------- */

/* Those behind them were never used. */
static uint64_t clusters_begun(const struct slot_map *map)
{
	return (map->end + SLOT_CLUSTER - 1) / SLOT_CLUSTER;
}

/* Free slots from slot on, at most want, and none beyond its cluster. */
static uint32_t slot_run(const struct slot_map *map, uint64_t slot, uint32_t want)
{
	uint32_t left = SLOT_CLUSTER - (uint32_t)(slot % SLOT_CLUSTER), run = 0;
	want = want < left ? want : left;
	while (run < want && !map->count[slot + run])
		run++;
	return run;
}

/* The longest run in cluster, or the first that has want. */
static uint32_t slot_longest(const struct slot_map *map, uint64_t cluster, uint32_t want,
			     uint64_t *first)
{
	uint64_t end = (cluster + 1) * SLOT_CLUSTER;
	uint32_t longest = 0;
	for (uint64_t slot = cluster * SLOT_CLUSTER; slot < end && longest < want;) {
		uint32_t run = slot_run(map, slot, want);
		if (run > longest) {
			longest = run;
			*first = slot;
		}
		slot += run + 1;
	}
	return longest;
}

/* No cluster is wholly free: look at the next few with room, from the cursor on and around. */
static uint32_t slot_search(const struct slot_map *map, uint32_t want, uint64_t *first)
{
	const struct cluster_set *room = &slot_index(map)->room;
	uint64_t clusters = map->limit / SLOT_CLUSTER, start = map->cursor / SLOT_CLUSTER;
	uint64_t from = start < clusters ? start : 0;
	uint32_t best = 0;
	for (unsigned i = 0; i < SLOT_NEAR && best < want; i++) {
		uint64_t cluster = cluster_set_next(room, from), slot;
		if (cluster >= clusters)
			cluster = cluster_set_next(room, 0);
		if (cluster >= clusters)
			break;
		uint32_t run = slot_longest(map, cluster, want, &slot);
		if (run > best) {
			best = run;
			*first = slot;
		}
		from = cluster + 1;
	}
	return best;
}

static uint32_t slot_find(const struct slot_map *map, uint32_t want, uint64_t *first)
{
	if (map->cursor % SLOT_CLUSTER && map->cursor < map->limit) {
		uint32_t run = slot_run(map, map->cursor, want);
		*first = map->cursor;
		if (run)
			return run;
	}
	uint64_t cluster = cluster_set_next(&slot_index(map)->unused, 0);
	if (cluster == CLUSTER_NONE)
		cluster = clusters_begun(map);
	if (cluster >= map->limit / SLOT_CLUSTER)
		return slot_search(map, want, first);
	*first = cluster * SLOT_CLUSTER;
	return want;
}

uint32_t slot_alloc(struct slot_map *map, uint32_t want, uint64_t *first)
{
	uint64_t slot;
	uint32_t count = slot_find(map, want < SLOT_CLUSTER ? want : SLOT_CLUSTER, &slot);
	if (!count)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		map->count[slot + i] = 1;
	map->used += count;
	uint16_t *cluster_used = &map->cluster_used[slot / SLOT_CLUSTER];
	map->unused -= !*cluster_used && slot / SLOT_CLUSTER < clusters_begun(map);
	map->cursor = slot + count;
	if (map->end < map->cursor)
		map->end = map->cursor;
	*cluster_used = (uint16_t)(*cluster_used + count);
	cluster_update(map, slot / SLOT_CLUSTER);
	*first = slot;
	return count;
}

static void slot_check(const struct slot_map *map, uint64_t slot)
{
	if (slot >= map->end || !map->count[slot])
		slot_bug(slot, "a reference is to a slot in use");
}

int slot_ref(struct slot_map *map, uint64_t slot)
{
	slot_check(map, slot);
	if (map->count[slot] == UINT16_MAX)
		return -EOVERFLOW;
	map->count[slot]++;
	return 0;
}

bool slot_shareable(const struct slot_map *map, uint64_t slot, uint32_t more)
{
	return slot == SLOT_NONE || map->count[slot] + (uint64_t)more <= UINT16_MAX;
}

void slot_unref(struct slot_map *map, uint64_t slot)
{
	slot_check(map, slot);
	if (--map->count[slot])
		return;
	map->used--;
	unsigned left = --map->cluster_used[slot / SLOT_CLUSTER];
	map->unused += !left;
	if (left == 0 || left == SLOT_CLUSTER - 1)
		cluster_update(map, slot / SLOT_CLUSTER);
}

uint64_t slot_tail(const struct slot_map *map, uint64_t slots)
{
	while (slots && !map->cluster_used[slots / SLOT_CLUSTER - 1])
		slots -= SLOT_CLUSTER;
	return slots;
}

void slot_cut(struct slot_map *map, uint64_t slots)
{
	uint64_t begun = clusters_begun(map);
	for (uint64_t cluster = slots / SLOT_CLUSTER; cluster < begun; cluster++) {
		cluster_set_remove(&slot_index(map)->unused, cluster);
		cluster_set_remove(&slot_index(map)->room, cluster);
		map->unused--;
	}
	map->limit = slots;
	map->end = map->end < slots ? map->end : slots;
	map->cursor = map->cursor < slots ? map->cursor : slots;
}

uint64_t slot_clusters(const struct slot_map *map)
{
	return map->unused + map->limit / SLOT_CLUSTER - clusters_begun(map);
}
