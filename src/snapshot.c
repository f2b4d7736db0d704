/* SPDX-License-Identifier: MIT */
/* Statistics: of one client, and a copy of everything for the main thread to print. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* The first page at or after page that either may have. */
static uint64_t page_next(const struct object *object, const struct object *base, uint64_t page)
{
	uint64_t next = object_next_armed(object, page);
	uint64_t below = base ? object_next_armed(base, page) : next;
	return next < below ? next : below;
}

/* Pages that region can see. */
static void region_count_pages(struct pager *pager, const struct region *region,
			       struct region_info *info)
{
	const struct object *object = object_lookup(pager, region->object);
	const struct object *base = object_lookup(pager, object->base);
	const struct client *client = client_lookup(pager, region->client);
	uint64_t end = region->offset + region_pages(region), page = region->offset;
	for (page = page_next(object, base, page); page < end;
	     page = page_next(object, base, page + 1)) {
		uint64_t pte = object_pte(object, page), seen = pte;
		if (base && pte_state(pte) == PAGE_ABSENT && !(pte & PTE_ZERO) &&
		    page < base->capacity_pages)
			seen = object_pte(base, page);
		if (pte_state(seen) == PAGE_RESIDENT) {
			info->resident_pages++;
			info->private_pages += base && seen == pte;
			info->wired_pages += wired_at(client, region_address(region, page));
		}
		if (pte & PTE_DIRTY)
			info->dirty_pages++;
		if (pte_state(pte) == PAGE_SWAPPED)
			info->swap_pages++;
	}
}

void stats_fill(struct pager *pager, const struct client *client, struct pagerd_stats *stats)
{
	struct region_info sum = {0};
	for (uint32_t i = 0; i < client->region_count; i++)
		region_count_pages(pager, client->regions[i], &sum);
	*stats = client->stats;
	stats->size = sizeof *stats;
	stats->dirty_pages = sum.dirty_pages;
	stats->swap_pages = sum.swap_pages;
	stats->wired_pages = sum.wired_pages;
	stats->limit_pages = client->pool ? pool_limit(pager, client->pool) : 0;
	stats_latency(stats, &client->latency);
}

/* For snapshot_join: where there are other shards, a copy of the histogram in *copy, if anything is
 * in it. False: there is no memory. */
static bool latency_keep(const struct pager *pager, const struct histogram *histogram,
			 struct histogram **copy)
{
	if (pager->config.shards == 1 || !histogram->total)
		return true;
	*copy = malloc(sizeof **copy);
	if (*copy)
		**copy = *histogram;
	return *copy;
}

static bool fill_clients(struct pager *pager, struct pager_snapshot *snapshot)
{
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (!client)
			continue;
		struct client_info *info = &snapshot->clients[snapshot->client_count++];
		info->client = i;
		info->pid = client->pid;
		info->uid = client->uid;
		memcpy(info->name, client->name, sizeof info->name);
		info->unit = client->pool ? pager->pools[client->pool].unit : 0;
		if (client->pool)
			pool_describe(&pager->pools[client->pool], info->policy,
				      sizeof info->policy);
		info->late = agent_late(pager, client);
		stats_fill(pager, client, &info->stats);
		if (!latency_keep(pager, &client->latency, &info->latency))
			return false;
	}
	return true;
}

static void fill_objects(struct pager *pager, struct pager_snapshot *snapshot)
{
	for (uint32_t i = 1; i < pager->object_room; i++) {
		const struct object *object = pager->objects[i];
		if (!object)
			continue;
		struct object_info *info = &snapshot->objects[snapshot->object_count++];
		*info = (struct object_info){
			.object = object_outside(pager, i),
			.kind = object->kind,
			.uid = object_user(pager, object),
			.regions = object->region_count,
			.device = object->device,
			.inode = object->inode,
			.size_pages = object->capacity_pages,
			.stats = object->stats,
		};
		info->stats.resident_pages = object->resident_pages;
		info->stats.dirty_pages = object->dirty_pages;
		info->stats.swap_pages = object->swap_pages;
		info->stats.limit_pages = object->pool ? pager->pools[object->pool].limit_pages : 0;
		info->unit = object->pool ? pager->pools[object->pool].unit : 0;
		if (object->pool)
			pool_describe(&pager->pools[object->pool], info->policy,
				      sizeof info->policy);
		stats_latency(&info->stats, &object->latency);
	}
}

static void fill_regions(struct pager *pager, struct pager_snapshot *snapshot)
{
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		for (uint32_t k = 0; client && k < client->region_count; k++) {
			const struct region *region = client->regions[k];
			const struct object *object = object_lookup(pager, region->object);
			struct region_info *info = &snapshot->regions[snapshot->region_count++];
			*info = (struct region_info){
				.client = i,
				.kind = object->kind,
				.address = region->start,
				.length_bytes = region->end - region->start,
				.object = object_outside(pager, object->number),
				.offset_bytes = region->offset << PAGE_SHIFT,
				.device = object->device,
				.inode = object->inode,
				.read_only = region->read_only,
				.unit = unit_pages(pager, region),
			};
			region_count_pages(pager, region, info);
			if (!object->pool)
				continue;
			info->limit_pages = pager->pools[object->pool].limit_pages;
			pool_describe(&pager->pools[object->pool], info->policy,
				      sizeof info->policy);
		}
	}
}

static bool fill_total(struct pager *pager, struct pager_snapshot *snapshot)
{
	struct histogram *latency = malloc(sizeof *latency);
	bool kept = pager->config.shards == 1;
	snapshot->total = pager->past;
	snapshot->total.size = sizeof snapshot->total;
	if (latency)
		*latency = pager->past_latency;
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (!client)
			continue;
		stats_add(&snapshot->total, &client->stats);
		snapshot->total.mapped_pages += client->stats.mapped_pages;
		if (latency)
			histogram_merge(latency, &client->latency);
	}
	for (uint32_t i = 1; i < pager->object_room; i++)
		if (pager->objects[i])
			snapshot->total.dirty_pages += pager->objects[i]->dirty_pages;
	snapshot->total.resident_pages = pager->used_pages;
	snapshot->total.resident_max_pages = pager->resident_max_pages;
	snapshot->total.swap_pages = pager->slots.used;
	snapshot->total.limit_pages = pool_limit(pager, 0);
	if (latency) {
		stats_latency(&snapshot->total, latency);
		kept = latency_keep(pager, latency, &snapshot->latency);
	}
	free(latency);
	return kept;
}

static void fill_policies(const struct pager *pager, struct pager_snapshot *snapshot)
{
	for (uint32_t i = 0; i < pager->pool_end; i++) {
		const struct pool *pool = &pager->pools[i];
		if (!pool->active)
			continue;
		const struct pagerd_policy_ops *ops = pool->ops;
		snapshot->policy_bytes += (uint64_t)pool->used_pages * ops->frame_bytes;
		if (ops->metadata_bytes)
			snapshot->policy_bytes += ops->metadata_bytes(pool->policy);
		if (ops->ghosts)
			snapshot->ghosts += ops->ghosts(pool->policy);
	}
}

struct pager_snapshot *snapshot_make(struct pager *pager, uint32_t sections, uint64_t learn)
{
	struct pager_snapshot *snapshot = calloc(1, sizeof *snapshot);
	size_t regions = 0;
	bool whole = true;
	if (!snapshot)
		return NULL;
	for (uint32_t i = 1; i < pager->client_room; i++)
		regions += pager->clients[i] ? pager->clients[i]->region_count : 0;
	if (sections & SNAPSHOT_CLIENTS)
		snapshot->clients = calloc(pager->client_room, sizeof *snapshot->clients);
	if (sections & SNAPSHOT_OBJECTS)
		snapshot->objects = calloc(pager->object_room, sizeof *snapshot->objects);
	if (sections & SNAPSHOT_REGIONS)
		snapshot->regions = calloc(regions + 1, sizeof *snapshot->regions);
	if (snapshot->clients)
		whole &= fill_clients(pager, snapshot);
	if (snapshot->objects)
		fill_objects(pager, snapshot);
	if (snapshot->regions)
		fill_regions(pager, snapshot);
	pool_describe(&pager->pools[0], snapshot->policy, sizeof snapshot->policy);
	fill_policies(pager, snapshot);
	snapshot->unit = pager->pools[0].unit;
	snapshot->used_pages = pager->used_pages;
	snapshot->swap_limit_pages = pager->config.swap_limit_bytes >> PAGE_SHIFT;
	snapshot->sessions_ever = pager->clients_ever;
	snapshot->latency_held = pager->latency.held;
	access_report(pager, snapshot);
	whole &= fill_total(pager, snapshot);
	snapshot->budget_pages = snapshot->total.limit_pages;
	if (sections & SNAPSHOT_LEARNED)
		whole &= !learn_snapshot(pager, learn, snapshot);
	if (!whole) {
		snapshot_free(snapshot);
		return NULL;
	}
	return snapshot;
}

void snapshot_free(struct pager_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->client_count; i++)
		free(snapshot->clients[i].latency);
	free(snapshot->clients);
	free(snapshot->latency);
	free(snapshot->objects);
	free(snapshot->regions);
	for (size_t i = 0; i < snapshot->learned_count; i++) {
		free(snapshot->learned[i].path);
		free(snapshot->learned[i].ranges);
	}
	free(snapshot->learned);
	free(snapshot);
}
