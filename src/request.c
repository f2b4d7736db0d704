/* SPDX-License-Identifier: MIT */
/* Requests from the main thread: what each does to objects, regions and pools. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "setting.h"

#define ADDRESS_END (1ull << 47)

/* The parts of the client's regions in [address, address + length). */
#define for_each_overlap(client, request, index)                                                   \
	for (uint32_t index = region_index(client, (request)->address);                            \
	     index < (client)->region_count &&                                                     \
	     (client)->regions[index]->start < (request)->address + (request)->length;             \
	     index++)

void request_done(struct pager_request *request, int error)
{
	request->error = error;
	request->done(request);
}

static bool range_valid(const struct pager_request *request)
{
	return request->length && !(request->address % PAGE_BYTES) &&
	       !(request->length % PAGE_BYTES) && request->address < ADDRESS_END &&
	       request->length <= ADDRESS_END - request->address;
}

/* What the request's range covers of region: from the start that is returned on. */
static uint64_t overlap(const struct pager_request *request, const struct region *region,
			uint64_t *end)
{
	*end = request->address + request->length;
	*end = *end < region->end ? *end : region->end;
	return request->address > region->start ? request->address : region->start;
}

/* The same in pages of the object. */
static uint64_t overlap_pages(const struct pager_request *request, const struct region *region,
			      uint64_t *page)
{
	uint64_t end, start = overlap(request, region, &end);
	*page = region_page(region, start);
	return (end - start) >> PAGE_SHIFT;
}

/* ---- objects and regions ----------------------------------------------------------------- */

static int reply_object(struct pager *pager, struct pager_request *request, struct client *client,
			struct object *object, uint64_t page)
{
	const struct object *base = object_lookup(pager, object->base);
	int fd = memfd_pass(base ? base->memfd : object->memfd, base || request->read_only);
	if (fd < 0)
		return fd;
	client_hold(pager, client, object);
	object_behind(pager, object)->given = true;
	request->object = object_outside(pager, object->number);
	request->offset = page << PAGE_SHIFT;
	request->fd = fd;
	return 0;
}

static int request_map(struct pager *pager, struct pager_request *request, struct client *client)
{
	uint64_t pages = (request->length + PAGE_BYTES - 1) >> PAGE_SHIFT;
	uint64_t page = request->offset >> PAGE_SHIFT;
	int fd = request->fd, error;
	struct object *object = NULL;
	request->fd = -1;
	if (request->kind == PAGERD_FILE_SHARED || request->kind == PAGERD_FILE_PRIVATE) {
		if (request->offset % PAGE_BYTES || pages > OBJECT_MAX_PAGES ||
		    page > OBJECT_MAX_PAGES - pages) {
			error = -EINVAL;
		} else {
			bool writable = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
			error = request->writable && !writable
					? -EACCES
					: object_open_file(pager, fd, writable, &object);
			request->read_only = !writable;
		}
		close(fd);
		if (!error)
			error = object_guard(pager, object, client->uid);
		if (!error)
			error = object_grow(object, page + pages);
		if (!error && request->kind == PAGERD_FILE_PRIVATE) {
			/* On the file's object, the object of the client's own pages. */
			error = object_create_private(pager, client->number, object, page + pages,
						      &object);
			request->read_only = false;
		}
	} else {
		error = object_create_anonymous(pager, request->kind, pages, &object);
		if (!error)
			object->uid = client->uid;
		page = 0;
		request->read_only = false;
	}
	if (!error)
		error = reply_object(pager, request, client, object, page);
	if (error && object)
		object_release(pager, object);
	return error;
}

static int request_open(struct pager *pager, struct pager_request *request, struct client *client)
{
	struct region *region = region_lookup(client, request->address);
	if (!region || !range_valid(request))
		return region ? -EINVAL : -ENOMEM;
	struct object *object = object_lookup(pager, region->object);
	uint64_t page = region_page(region, request->address);
	uint64_t end = page + (request->length >> PAGE_SHIFT);
	uint64_t region_end = region->offset + region_pages(region);
	if (end > region_end && !object_is_file(object) &&
	    object_mapped(pager, object, region_end, end - region_end))
		return -EBUSY; /* the pages behind belong to somebody else's part */
	if (end > object->capacity_pages && object->kind == PAGERD_ANON_FORKED)
		return -EBUSY; /* there the parent's memory may grow */
	int error = object_grow(object, end);
	if (!error)
		error = object_grow(object_behind(pager, object), end);
	request->read_only = region->read_only;
	return error ? error : reply_object(pager, request, client, object, page);
}

/* What was cloned in that range for the child of a fork is mapped there now. */
static int register_clones(struct pager *pager, struct pager_request *request,
			   struct client *client)
{
	int error = region_cut(pager, client, request->address, request->address + request->length);
	bool any = false;
	if (error)
		return error;
	for_each_overlap(client, request, i)
	{
		struct region *region = client->regions[i];
		if (region->registered)
			return -EEXIST;
		error = uffd_register(client->uffd, region->start, region->end - region->start,
				      object_lookup(pager, region->object)->guarded ||
					      learn_records(pager, client));
		if (error)
			return error;
		region->registered = true;
		error = object_arm_region(pager, object_lookup(pager, region->object), region);
		if (error)
			return error;
		any = true;
	}
	if (any)
		client_hold(pager, client, NULL);
	/* What its parent could not push into it may go there now. */
	fault_retry_queue(pager, &pager->frozen);
	return any ? 0 : -ENOENT;
}

/* Nobody could take the pages of such memory. What moves has had an agent, if it has lost it since.
 */
static bool agent_missing(const struct client *client, const struct object *object)
{
	return object_is_private(object) && !object->region_count && client->agent.socket < 0;
}

static int request_register(struct pager *pager, struct pager_request *request,
			    struct client *client)
{
	if (client->uffd < 0 || !range_valid(request) || request->offset % PAGE_BYTES)
		return -EINVAL;
	if (!request->object)
		return register_clones(pager, request, client);
	struct object *object = object_lookup(pager, object_inside(pager, request->object));
	uint64_t page = request->offset >> PAGE_SHIFT, pages = request->length >> PAGE_SHIFT;
	if (!object || object != client->held)
		return -EINVAL;
	if (page > object->capacity_pages || pages > object->capacity_pages - page)
		return -EINVAL;
	if (agent_missing(client, object))
		return -EPROTO;
	int error = region_remove_range(pager, client, request->address,
					request->address + request->length);
	if (error)
		return error;
	bool read_only = client->held_read_only;
	error = uffd_register(client->uffd, request->address, request->length,
			      object->guarded || learn_records(pager, client));
	if (error)
		return error;
	struct region values =
			      {
				      .client = client->number,
				      .object = object->number,
				      .start = request->address,
				      .end = request->address + request->length,
				      .offset = page,
				      .read_only = read_only,
				      .registered = true,
			      },
		      *region;
	error = region_insert(pager, client, &values, &region);
	if (error) {
		uffd_unregister(client->uffd, request->address, request->length);
		return error;
	}
	if (object_is_private(object) && object->region_count > 1)
		error = private_moved(pager, client, region);
	if (!error)
		error = object_arm_region(pager, object, region);
	if (error) {
		/* The new region alone is there: nothing is split, so that this cannot fail. */
		region_remove_range(pager, client, values.start, values.end);
		return error;
	}
	client_hold(pager, client, NULL);
	learn_region(pager, client, region);
	return 0;
}

/* ---- requests that may wait for I/O ------------------------------------------------------ */

/* None of the client's is in the request's range. */
static int nothing_there(struct pager_request *request)
{
	request->nothing = true;
	return -ENOMEM;
}

static int sync_range(struct pager *pager, struct pager_request *request, struct client *client,
		      bool flush, bool wait)
{
	bool any = false;
	for_each_overlap(client, request, i)
	{
		struct region *region = client->regions[i];
		struct object *object = object_lookup(pager, region->object);
		uint64_t page, pages = overlap_pages(request, region, &page);
		any = true;
		if (!object_is_file(object) || region->read_only)
			continue;
		int error =
			sync_start(pager, object, page, page + pages, flush, wait ? request : NULL);
		if (error)
			return error;
	}
	return any ? 0 : nothing_there(request);
}

static int request_sync(struct pager *pager, struct pager_request *request, struct client *client)
{
	if (!range_valid(request) ||
	    request->flags & ~(uint32_t)(MS_SYNC | MS_ASYNC | MS_INVALIDATE))
		return -EINVAL;
	bool wait = request->flags & MS_SYNC;
	return sync_range(pager, request, client, wait, wait);
}

/* ---- read(2) and write(2) ---------------------------------------------------------------- */

/* The pages that the request's bytes touch. */
static void file_pages(const struct pager_request *request, uint64_t *page, uint64_t *count)
{
	uint64_t end =
		request->length ? request->offset + request->length : UINT64_MAX - PAGE_BYTES;
	if (end < request->offset || end > OBJECT_MAX_PAGES << PAGE_SHIFT)
		end = OBJECT_MAX_PAGES << PAGE_SHIFT;
	*page = request->offset >> PAGE_SHIFT;
	uint64_t last = (end + PAGE_BYTES - 1) >> PAGE_SHIFT;
	*count = last > *page ? last - *page : 0;
}

static int request_file_begin(struct pager *pager, struct pager_request *request,
			      struct client *client)
{
	struct object *object = object_find_file(pager, request->fd);
	uint64_t page, count;
	close(request->fd);
	request->fd = -1;
	if (!object || object_unused(object) || client->writing)
		return object && client->writing ? -EBUSY : -ENOENT;
	file_pages(request, &page, &count);
	if (request->flags & PAGERD_FILE_WRITE) {
		if (board_locked_by_other(object, client) && board_wait(pager, object))
			return -EAGAIN;
		client->writing = object;
		object->frozen++;
		object->holds++;
		board_hold(object);
	}
	return object->dirty_pages || object->in_flight
		       ? sync_start(pager, object, page, page + count, false, request)
		       : 0;
}

void file_end(struct pager *pager, struct client *client)
{
	struct object *object = client->writing;
	if (!object)
		return;
	client->writing = NULL;
	object->frozen--;
	object->holds--;
	board_waits_no_more(object);
	object_release(pager, object);
	fault_retry_queue(pager, &pager->frozen);
}

static int request_file_end(struct pager *pager, struct pager_request *request,
			    struct client *client)
{
	uint64_t page, count;
	if (!client->writing)
		return -EINVAL;
	file_pages(request, &page, &count);
	if (page < client->writing->capacity_pages)
		object_refresh(pager, client->writing, page, count);
	private_truncate(pager, client->writing,
			 request->flags & PAGERD_FILE_SHIFTED ? page : UINT64_MAX, request);
	poison_retry(pager, client->writing, request);
	file_end(pager, client);
	return 0;
}

static int request_board(struct pager *pager, struct pager_request *request,
			 const struct client *client)
{
	struct object *object = object_find_file(pager, request->fd);
	close(request->fd);
	request->fd = -1;
	if (!object || object_unused(object))
		return -ENOENT;
	request->object = client->number;
	request->offset = OBJECT_MAX_PAGES << PAGE_SHIFT;
	return board_open(pager, object, client, request->flags & PAGERD_BOARD_PAGES, &request->fd);
}

/* ---- advice ------------------------------------------------------------------------------ */

static int discard(struct pager *pager, struct pager_request *request, struct client *client,
		   const struct region *region)
{
	struct object *object = object_lookup(pager, region->object);
	uint64_t page, pages = overlap_pages(request, region, &page);
	if (object_is_file(object))
		return 0;
	if (object->kind == PAGERD_ANON_FORKED)
		return private_zero(pager, object, page, pages);
	int error = object_is_viewed(object)
			    ? push_range(pager, client, region, page, pages, request)
			    : 0;
	return error ? error : object_discard(pager, object, page, pages);
}

static int request_discard(struct pager *pager, struct pager_request *request,
			   struct client *client)
{
	bool any = false;
	if (!range_valid(request))
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
	return any ? 0 : nothing_there(request);
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

static int request_advise(struct pager *pager, struct pager_request *request, struct client *client)
{
	bool any = false;
	if (!range_valid(request))
		return -EINVAL;
	for_each_overlap(client, request, i)
	{
		struct region *region = client->regions[i];
		uint64_t page, pages = overlap_pages(request, region, &page);
		int error = advise_region(pager, client, region, page, pages, request->flags);
		any = true;
		if (error)
			return error;
	}
	return any ? 0 : nothing_there(request);
}

static void request_stats(struct pager *pager, struct pager_request *request,
			  const struct client *client)
{
	struct pagerd_stats stats;
	stats_fill(pager, client, &stats);
	if (!request->latency) {
		request->stats = stats;
		return;
	}
	stats_join(&request->stats, &stats);
	histogram_merge(request->latency, &client->latency);
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
static int request_wire(struct pager *pager, struct pager_request *request, struct client *client)
{
	if (!range_valid(request) || request->flags > 1)
		return -EINVAL;
	int error = request->flags ? wired_reserve(client, overlaps(request, client) + 1) : 0;
	if (error)
		return error;
	wired_remove(pager, client, request->address, request->address + request->length);
	if (!request->flags)
		return 0;
	for_each_overlap(client, request, i)
	{
		uint64_t end, start = overlap(request, client->regions[i], &end);
		wired_add(pager, client, start, end);
	}
	return 0;
}

/* ---- dispatch ---------------------------------------------------------------------------- */

void drain_check(struct pager *pager)
{
	if (pager->closing_objects)
		return;
	struct pager_request *request = pager->drains;
	pager->drains = NULL;
	while (request) {
		struct pager_request *next = request->next;
		request_done(request, 0);
		request = next;
	}
}

/* Whether the request is about private pages, with which the client's agent may be busy. */
static bool request_private(struct pager *pager, const struct pager_request *request,
			    const struct client *client)
{
	if (request->type == PAGER_UNMAP)
		return true; /* pages of any memory may be about to be zapped for access.h */
	if (request->type != PAGER_DISCARD && request->type != PAGER_OPEN)
		return false;
	for_each_overlap(client, request, i)
	{
		const struct region *region = client->regions[i];
		if (object_is_private(object_lookup(pager, region->object)))
			return true;
	}
	return false;
}

/* Requests of one client; 0 or -errno, and request->pending counts what it waits for. */
static int request_client(struct pager *pager, struct pager_request *request, struct client *client)
{
	switch (request->type) {
	case PAGER_CLIENT_UFFD: {
		int fd = request->fd, error = client_set_uffd(pager, client, fd);
		if (error)
			close(fd);
		else if (request->pid)
			client->pid = request->pid; /* it was added under its parent's */
		return error;
	}
	case PAGER_CLIENT_REMOVE:
		if (client_gone(client)) {
			client_remove(pager, client);
			return 0;
		}
		client->leaving = request;
		pager->leaving++;
		request->pending++; /* ended by client_reap */
		client_leave(pager, client);
		return 0;
	case PAGER_CLIENT_LEAVE:
		/* Who has gone leaves at once: a DRAIN that comes next is to find its files. */
		if (client_gone(client))
			client_remove(pager, client);
		else
			client_leave(pager, client);
		return 0;
	case PAGER_MAP:
		return request_map(pager, request, client);
	case PAGER_LET_GO:
		client_hold(pager, client, NULL);
		return 0;
	case PAGER_OPEN:
		return request_open(pager, request, client);
	case PAGER_REGISTER:
		return request_register(pager, request, client);
	case PAGER_UNMAP:
		if (!range_valid(request))
			return -EINVAL;
		sync_range(pager, request, client, false, true);
		return 0;
	case PAGER_SYNC:
		return request_sync(pager, request, client);
	case PAGER_DISCARD:
		return request_discard(pager, request, client);
	case PAGER_ADVISE:
		return request_advise(pager, request, client);
	case PAGER_WIRE:
		return request_wire(pager, request, client);
	case PAGER_FILE_BEGIN:
		return request_file_begin(pager, request, client);
	case PAGER_FILE_END:
		return request_file_end(pager, request, client);
	case PAGER_BOARD:
		return request_board(pager, request, client);
	case PAGER_AGENT:
		return agent_open(pager, client, request->fd, &request->fd);
	case PAGER_PAGEMAP:
		return client_set_pagemap(client, request->fd);
	case PAGER_FORK:
		return fork_start(pager, request);
	case PAGER_FORK_END:
		fork_end(pager, client);
		return 0;
	case PAGER_STATS:
		request_stats(pager, request, client);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Everything that the request waited for is done. */
static void request_finish(struct pager *pager, struct pager_request *request, int error)
{
	struct client *client = client_lookup(pager, request->client);
	pageout_settle(pager);
	if (client && request->again && !error) {
		request_start(pager, request);
		return;
	}
	if (client && request->type == PAGER_UNMAP && request_private(pager, request, client) &&
	    agent_wait(client, request))
		return;
	if (request->type == PAGER_UNMAP && client && range_valid(request)) {
		/* What could not be written stays dirty, and is tried again. */
		error = region_remove_range(pager, client, request->address,
					    request->address + request->length);
	}
	if (request->type == PAGER_FILE_BEGIN && client && client->writing)
		error = 0; /* what could not be written back stays dirty, and is kept */
	if (request->type == PAGER_FORK && !error)
		error = fork_finish(pager, request);
	if (request->type == PAGER_FORK && error && client)
		fork_end(pager, client); /* nobody is going to ask for that */
	request_done(request, error);
}

void request_part_done(struct pager *pager, struct pager_request *request, int error)
{
	if (error)
		request->error = error;
	if (!--request->pending)
		request_finish(pager, request, request->error);
}

/* Clients without a session whose processes have ended. */
void client_reap(struct pager *pager)
{
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (!client || !client->leaving || !client_gone(client))
			continue;
		struct pager_request *request = client->leaving;
		pager->leaving--;
		client_remove(pager, client);
		request_part_done(pager, request, 0);
	}
}

static int request_snapshot(struct pager *pager, struct pager_request *request)
{
	struct pager_snapshot *snapshot = snapshot_make(pager, request->flags, request->learn);
	if (!snapshot)
		return -ENOMEM;
	if (request->snapshot)
		return snapshot_join(request->snapshot, snapshot, pager->config.bank);
	request->snapshot = snapshot;
	return 0;
}

static bool request_global(struct pager *pager, struct pager_request *request, int *error)
{
	*error = 0;
	switch (request->type) {
	case PAGER_CLIENT_ADD:
		*error = client_add(pager, request->pid, request->uid, request->name, request->fd,
				    &request->client);
		if (*error && request->fd >= 0)
			close(request->fd);
		return true;
	case PAGER_SNAPSHOT:
		*error = request_snapshot(pager, request);
		return true;
	case PAGER_LEARN:
		*error = learn_start(pager, request);
		return true;
	case PAGER_LEARN_PAGES:
		*error = learn_pages(pager, request);
		return true;
	case PAGER_LEARN_END:
		learn_end(pager, request->learn);
		return true;
	case PAGER_CHECK:
		*error = invariant_check(pager) ? -EUCLEAN : 0;
		return true;
	case PAGER_SET:
	case PAGER_SET_OBJECT:
		*error = setting_apply(pager, request);
		return true;
	default:
		return false;
	}
}

void request_start(struct pager *pager, struct pager_request *request)
{
	int error;
	pageout_settle(pager); /* all pages are where the tables say */
	request->pending = 0;
	request->error = 0;
	request->again = false;
	request->nothing = false;
	request->why[0] = 0;
	if (request->type == PAGER_DRAIN) {
		request->next = pager->drains;
		pager->drains = request;
		cache_clear(pager);
		drain_check(pager);
		return;
	}
	if (request->type == PAGER_LISTEN) {
		listen_start(pager, request);
		return;
	}
	if (request->type == PAGER_STOP) {
		pager->stop_request = request;
		pager->stopping = true;
		return;
	}
	if (request_global(pager, request, &error)) {
		request_done(request, error);
		return;
	}
	struct client *client = client_lookup(pager, request->client);
	if (!client) {
		if (request->fd >= 0 &&
		    (request->type == PAGER_MAP || request->type == PAGER_CLIENT_UFFD ||
		     request->type == PAGER_AGENT || request->type == PAGER_PAGEMAP ||
		     request->type == PAGER_FILE_BEGIN || request->type == PAGER_BOARD))
			close(request->fd);
		request_done(request, -ESRCH);
		return;
	}
	if (request_private(pager, request, client) && agent_wait(client, request))
		return;
	pager->latency.events++;
	request->pending = 1; /* this function's own part */
	error = request_client(pager, request, client);
	if (request->type == PAGER_MAP || request->type == PAGER_OPEN)
		client->held_read_only = request->read_only;
	request_part_done(pager, request, error);
}
