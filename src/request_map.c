/* SPDX-License-Identifier: MIT */
/* Memory that comes: objects are made or found, and their regions registered. */
#include <fcntl.h>
#include <unistd.h>

#include "request.h"

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

int request_map(struct pager *pager, struct pager_request *request, struct client *client)
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
			error = user_take(pager, object, client->uid);
		page = 0;
		request->read_only = false;
	}
	if (!error)
		error = reply_object(pager, request, client, object, page);
	if (error && object)
		object_release(pager, object);
	return error;
}

int request_open(struct pager *pager, struct pager_request *request, struct client *client)
{
	struct region *region = region_lookup(client, request->address);
	if (!region || !request_valid(request))
		return region ? -EINVAL : -ENOMEM;
	struct object *object = object_lookup(pager, region->object);
	uint64_t page = region_page(region, request->address);
	uint64_t end = page + (request->length >> PAGE_SHIFT);
	uint64_t region_end = region->offset + region_pages(region);
	if (end > region_end && !object_is_file(object) &&
	    object_mapped(pager, object, region_end, end - region_end))
		return -EBUSY; /* the pages behind belong to somebody else's part */
	if (end > object->capacity_pages && object_is_forked(object))
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

int request_register(struct pager *pager, struct pager_request *request, struct client *client)
{
	if (client->uffd < 0 || !request_valid(request) || request->offset % PAGE_BYTES)
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
