/* SPDX-License-Identifier: MIT */
/*
 * Fork: what the child gets.
 *
 * FORK freezes the sender's private memory: its pages are write-protected, and who writes to a
 * protected page waits. A write that the child misses has therefore not happened before one that it
 * has: what it sees is a state that the kernel's own fork could have shown. Of private anonymous
 * memory the child gets an object of private pages whose base is the parent's (see push.h). Private
 * pages, of files or of a parent's memory, are written to swap, and when they are clean their page
 * tables are cloned, with one more reference on every slot. FORK_END lets the writers go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

static bool region_private(struct pager *pager, const struct region *region)
{
	const struct object *object = object_lookup(pager, region->object);
	return object->kind == PAGERD_ANON_PRIVATE || object_is_private(object);
}

int fork_start(struct pager *pager, struct pager_request *request)
{
	struct client *client = client_lookup(pager, request->client);
	struct client *child = client_lookup(pager, request->child);
	if (!child || child == client || child->region_count || client->freezing)
		return -EINVAL;
	client->freezing = true;
	for (uint32_t i = 0; i < client->region_count; i++) {
		struct region *region = client->regions[i];
		struct object *object = object_lookup(pager, region->object);
		if (!region_private(pager, region))
			continue;
		object->frozen = 1;
		uint64_t page = region->offset, end = page + region_pages(region);
		int error = object_is_private(object)
				    ? sync_start(pager, object, page, end, false, request)
				    : push_begin(pager, object, page, end);
		if (error)
			return error;
	}
	return 0;
}

void fork_end(struct pager *pager, struct client *client)
{
	if (!client->freezing)
		return;
	client->freezing = false;
	for (uint32_t i = 0; i < client->region_count; i++)
		if (region_private(pager, client->regions[i]))
			object_lookup(pager, client->regions[i]->object)->frozen = 0;
	fault_retry_queue(pager, &pager->frozen);
}

/* One more reference on the page's slot; the entry for the clone. */
static int pte_clone(struct pager *pager, const struct object *object, uint64_t page,
		     uint64_t *clone)
{
	uint64_t pte = object_pte(object, page), slot = SLOT_NONE;
	if (pte & PTE_DIRTY)
		return -EIO; /* its write failed */
	if (pte_state(pte) == PAGE_SWAPPED)
		slot = pte_number(pte);
	else if (pte_state(pte) != PAGE_ABSENT)
		slot = frame_get(pager, (uint32_t)pte_number(pte))->slot;
	if (slot == SLOT_NONE) {
		bool zero = pte_state(pte) != PAGE_ABSENT;
		*clone = pte_make(PAGE_ABSENT, 0, zero ? PTE_ZERO : pte & PTE_ZERO);
		return 0;
	}
	int error = slot_ref(&pager->slots, slot);
	if (!error)
		*clone = pte_make(PAGE_SWAPPED, slot, 0);
	return error;
}

static int object_clone(struct pager *pager, const struct client *child,
			const struct object *object, uint64_t page, uint64_t end,
			struct object **out)
{
	struct object *clone;
	int error = object_create_private(pager, child->number, object_lookup(pager, object->base),
					  object->capacity_pages, &clone);
	if (error)
		return error;
	for (page = object_next_armed(object, page); page < end && !error;
	     page = object_next_armed(object, page + 1)) {
		error = pte_clone(pager, object, page, &clone->table[page]);
		if (error || !clone->table[page])
			continue;
		clone->swap_pages += pte_state(clone->table[page]) == PAGE_SWAPPED;
		object_arm(pager, clone, page, 1);
	}
	if (error)
		object_release(pager, clone);
	else
		*out = clone;
	return error;
}

static int region_clone(struct pager *pager, struct client *child, const struct region *region)
{
	struct object *object = object_lookup(pager, region->object), *clone = object;
	int error = 0;
	if (object_is_private(object))
		error = object_clone(pager, child, object, region->offset,
				     region->offset + region_pages(region), &clone);
	else if (region_private(pager, region))
		error = object_create_private(pager, child->number, object, object->capacity_pages,
					      &clone);
	if (error)
		return error;
	struct region values = *region, *ignored;
	values.streams = (struct streams){0};
	values.client = child->number;
	values.object = clone->number;
	values.registered = false;
	error = region_insert(pager, child, &values, &ignored);
	if (error && clone != object)
		object_release(pager, clone);
	return error;
}

int fork_finish(struct pager *pager, struct pager_request *request)
{
	struct client *client = client_lookup(pager, request->client);
	struct client *child = client_lookup(pager, request->child);
	if (!client || !child)
		return -ESRCH;
	client->stats.forks += pager->config.shard == 0; /* all shards are told */
	child->learn = client->learn;
	for (uint32_t i = 0; i < client->region_count; i++) {
		int error = region_clone(pager, child, client->regions[i]);
		if (error) {
			region_remove_range(pager, child, 0, UINT64_MAX);
			return error;
		}
	}
	return 0;
}
