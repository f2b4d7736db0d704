/* SPDX-License-Identifier: MIT */
/* Snapshots of several shards as one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

void stats_join(struct pagerd_stats *sum, const struct pagerd_stats *stats)
{
	stats_add(sum, stats);
	sum->size = stats->size;
	sum->resident_pages += stats->resident_pages;
	sum->resident_max_pages += stats->resident_max_pages;
	sum->dirty_pages += stats->dirty_pages;
	sum->wired_pages += stats->wired_pages;
	sum->swap_pages += stats->swap_pages;
	sum->mapped_pages += stats->mapped_pages;
	if (!sum->limit_pages) /* each says the whole of it */
		sum->limit_pages = stats->limit_pages;
}

/* The histogram *other is given up. */
static void latency_join(struct pagerd_stats *stats, struct histogram **sum,
			 struct histogram **other)
{
	if (*sum && *other)
		histogram_merge(*sum, *other);
	else if (!*sum)
		*sum = *other;
	if (*sum != *other)
		free(*other);
	*other = NULL;
	if (*sum)
		stats_latency(stats, *sum);
}

/* ---- clients ----------------------------------------------------------------------------- */

static void client_join(struct client_info *sum, struct client_info *other)
{
	stats_join(&sum->stats, &other->stats);
	latency_join(&sum->stats, &sum->latency, &other->latency);
	sum->late |= other->late;
	if (!sum->policy[0])
		memcpy(sum->policy, other->policy, sizeof sum->policy);
	if (!sum->unit)
		sum->unit = other->unit;
}

/* Both are ordered by number; both is to have room for all. */
static void clients_join(struct pager_snapshot *sum, struct pager_snapshot *other,
			 struct client_info *both)
{
	size_t count = 0, i = 0, k = 0;
	while (i < sum->client_count || k < other->client_count) {
		struct client_info *a = i < sum->client_count ? &sum->clients[i] : NULL;
		struct client_info *b = k < other->client_count ? &other->clients[k] : NULL;
		bool first = a && (!b || a->client <= b->client);
		bool second = b && (!a || b->client <= a->client);
		both[count] = first ? *a : *b;
		if (first && second)
			client_join(&both[count], b);
		i += first;
		k += second;
		count++;
	}
	free(sum->clients);
	sum->clients = both;
	sum->client_count = count;
	other->client_count = 0;
}

/* ---- what each shard has to itself ------------------------------------------------------- */

/* Room for more behind the count that array has; it may be NULL and stay so. */
static int room(void *array, size_t count, size_t more, size_t size)
{
	void **pointer = array;
	void *longer = more ? realloc(*pointer, (count + more) * size) : *pointer;
	if (more && !longer)
		return -ENOMEM;
	*pointer = longer;
	return 0;
}

static int region_order(const void *a, const void *b)
{
	const struct region_info *x = a, *y = b;
	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void append(void *array, size_t *count, const void *more, size_t *more_count, size_t size)
{
	if (*more_count)
		memcpy((char *)array + *count * size, more, *more_count * size);
	*count += *more_count;
	*more_count = 0;
}

static void lists_join(struct pager_snapshot *sum, struct pager_snapshot *other)
{
	append(sum->objects, &sum->object_count, other->objects, &other->object_count,
	       sizeof *sum->objects);
	append(sum->learned, &sum->learned_count, other->learned, &other->learned_count,
	       sizeof *sum->learned);
	append(sum->regions, &sum->region_count, other->regions, &other->region_count,
	       sizeof *sum->regions);
	if (sum->region_count)
		qsort(sum->regions, sum->region_count, sizeof *sum->regions, region_order);
}

/* ---- all of it --------------------------------------------------------------------------- */

/* All have had the same sessions, and have the same limit to their swap. */
static void totals_join(struct pager_snapshot *sum, struct pager_snapshot *other, bool shared)
{
	if (!shared)
		sum->budget_pages += other->budget_pages;
	sum->used_pages += other->used_pages;
	sum->ghosts += other->ghosts;
	sum->policy_bytes += other->policy_bytes;
	sum->latency_held |= other->latency_held;
	sum->access_shards += other->access_shards;
	sum->access_idle += other->access_idle;
	stats_join(&sum->total, &other->total);
	sum->total.limit_pages = sum->budget_pages;
	latency_join(&sum->total, &sum->latency, &other->latency);
}

int snapshot_join(struct pager_snapshot *sum, struct pager_snapshot *other, bool shared)
{
	size_t clients = sum->client_count + other->client_count;
	struct client_info *both = calloc(clients + 1, sizeof *both);
	int error = both ? 0 : -ENOMEM;
	if (!error)
		error = room(&sum->objects, sum->object_count, other->object_count,
			     sizeof *sum->objects);
	if (!error)
		error = room(&sum->regions, sum->region_count, other->region_count,
			     sizeof *sum->regions);
	if (!error)
		error = room(&sum->learned, sum->learned_count, other->learned_count,
			     sizeof *sum->learned);
	if (error) {
		free(both);
	} else {
		clients_join(sum, other, both);
		lists_join(sum, other);
		totals_join(sum, other, shared);
	}
	snapshot_free(other);
	return error;
}
