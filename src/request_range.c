/* SPDX-License-Identifier: MIT */
/* What is asked of a range of a client's memory: to be written back, discarded, locked; advice. */
#include <sys/mman.h>

#include "request.h"

int request_sync_range(struct pager *pager, struct pager_request *request, struct client *client,
		       bool flush, bool wait)
{
	bool any = false;
	for_each_overlap(client, request, i)
	{
		struct region *region = client->regions[i];
		struct object *object = object_lookup(pager, region->object);
		uint64_t page, pages = request_pages(request, region, &page);
		any = true;
		if (!object_is_file(object) || region->read_only)
			continue;
		/* Many a child of fork ends whose parent has much mapped. */
		if (!flush && !object->dirty_pages && !object->in_flight)
			continue;
		int error =
			sync_start(pager, object, page, page + pages, flush, wait ? request : NULL);
		if (error)
			return error;
	}
	return any ? 0 : request_empty(request);
}

int request_sync(struct pager *pager, struct pager_request *request, struct client *client)
{
	if (!request_valid(request) ||
	    request->flags & ~(uint32_t)(MS_SYNC | MS_ASYNC | MS_INVALIDATE | PAGERD_SYNC_WRITTEN))
		return -EINVAL;
	bool flush = request->flags & MS_SYNC;
	bool wait = flush || request->flags & PAGERD_SYNC_WRITTEN;
	return request_sync_range(pager, request, client, flush, wait);
}

static int discard(struct pager *pager, struct pager_request *request, struct client *client,
		   const struct region *region)
{
	struct object *object = object_lookup(pager, region->object);
	uint64_t page, pages = request_pages(request, region, &page);
	if (object_is_file(object))
		return 0;
	if (object_is_forked(object))
		return private_zero(pager, object, page, pages);
	int error = object_is_viewed(object)
			    ? push_range(pager, client, region, page, pages, request)
			    : 0;
	return error ? error : object_discard(pager, object, page, pages);
}

int request_discard(struct pager *pager, struct pager_request *request, struct client *client)
{
	bool any = false;
	if (!request_valid(request))
		return -EINVAL;
	for_each_overlap(client, request, i)
	{
		int error = discard(pager, request, client, client->regions[i]);
		any = true;
		/* Started again when what it waits for is done. */
		request->again = error == -EAGAIN && request->pending > 1;
		if (error)
			return request->again ? 0 : error;
	}
	return any ? 0 : request_empty(request);
}

static void advise_cold(struct pager *pager, struct object *object, uint64_t page, uint64_t pages)
{
	for (uint64_t end = page + pages; page < end; page++) {
		uint64_t pte = object_pte(object, page);
		if (pte_state(pte) != PAGE_RESIDENT)
			continue;
		struct frame *frame = frame_get(pager, (uint32_t)pte_number(pte));
		struct pool *pool = &pager->pools[frame->pool];
		if (pool->ops->cold && frame->flags & FRAME_HELD && !(frame->flags & FRAME_RECLAIM))
			pool->ops->cold(pool->policy, (uint32_t)pte_number(pte));
	}
}

static int advise_region(struct pager *pager, struct client *client, struct region *region,
			 uint64_t page, uint64_t pages, uint32_t advice)
{
	struct object *object = object_lookup(pager, region->object);
	switch (advice) {
	case MADV_NORMAL:
		region->advice = ADVICE_NORMAL;
		return 0;
	case MADV_RANDOM:
		region->advice = ADVICE_RANDOM;
		return 0;
	case MADV_SEQUENTIAL:
		region->advice = ADVICE_SEQUENTIAL;
		return 0;
	case MADV_WILLNEED:
		prefetch_pages(pager, client, object, page, pages);
		if (object_is_private(object))
			prefetch_pages(pager, client, object_lookup(pager, object->base), page,
				       pages);
		return 0;
	case MADV_COLD:
		advise_cold(pager, object, page, pages);
		return 0;
	case MADV_PAGEOUT:
		pageout_range(pager, object, page, pages);
		return 0;
	default:
		return -EINVAL;
	}
}

int request_advise(struct pager *pager, struct pager_request *request, struct client *client)
{
	bool any = false;
	if (!request_valid(request))
		return -EINVAL;
	for_each_overlap(client, request, i)
	{
		struct region *region = client->regions[i];
		uint64_t page, pages = request_pages(request, region, &page);
		int error = advise_region(pager, client, region, page, pages, request->flags);
		any = true;
		if (error)
			return error;
	}
	return any ? 0 : request_empty(request);
}

static uint32_t overlaps(const struct pager_request *request, const struct client *client)
{
	uint32_t count = 0;
	for_each_overlap(client, request, i)
	{
		count++;
	}
	return count;
}

/* No more than its regions cover: what lies between them may be another shard's. What was locked is
 * taken off the list first, where a hole in it makes two of one, but not before all can be put on
 * it. */
int request_wire(struct pager *pager, struct pager_request *request, struct client *client)
{
	if (!request_valid(request) || request->flags > 1)
		return -EINVAL;
	int error = request->flags ? wired_reserve(client, overlaps(request, client) + 1) : 0;
	if (error)
		return error;
	wired_remove(pager, client, request->address, request->address + request->length);
	if (!request->flags)
		return 0;
	for_each_overlap(client, request, i)
	{
		uint64_t end, start = request_overlap(request, client->regions[i], &end);
		wired_add(pager, client, start, end);
	}
	return 0;
}
