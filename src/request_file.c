/* SPDX-License-Identifier: MIT */
/* Calls on files that are mapped: read(2), write(2), truncate(2). */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "request.h"

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

/* The object of the request's file, if it is mapped, or what was stored through mappings may not be
 * in it yet; or NULL. */
static struct object *file_named(struct pager *pager, struct pager_request *request)
{
	struct object *object = object_find_file(pager, request->fd);
	close(request->fd);
	request->fd = -1;
	return object && object->cached.idle ? NULL : object;
}

int request_file_begin(struct pager *pager, struct pager_request *request, struct client *client)
{
	struct object *object = file_named(pager, request);
	uint64_t page, count;
	if (!object || client->writing)
		return object && client->writing ? -EBUSY : -ENOENT;
	file_pages(request, &page, &count);
	if (request->flags & PAGERD_FILE_WRITE) {
		if (board_locked_by_other(object, client) && board_wait(pager, object))
			return -EAGAIN;
		object_reopen(pager, object);
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

int request_file_end(struct pager *pager, struct pager_request *request, struct client *client)
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

int request_file_cut(struct pager *pager, struct pager_request *request)
{
	struct object *object = file_named(pager, request);
	struct stat st;
	if (!object)
		return -ENOENT;
	if (!(request->flags & PAGERD_CUT_DONE))
		return object->dirty_pages || object->in_flight
			       ? sync_start(pager, object, request->offset >> PAGE_SHIFT,
					    object->capacity_pages, false, request)
			       : 0;
	if (board_wait(pager, object))
		return -EAGAIN; /* somebody writes it by himself: what he shows may be stale */
	if (fstat(object->fd, &st) < 0)
		return -errno; /* not that it is empty */
	uint64_t page = (uint64_t)st.st_size >> PAGE_SHIFT;
	uint64_t end = ((uint64_t)st.st_size + PAGE_BYTES - 1) >> PAGE_SHIFT;
	if (page < object->capacity_pages)
		object_refresh(pager, object, page, object->capacity_pages - page);
	object_cut(pager, object, end);
	private_truncate(pager, object, end, request);
	poison_retry(pager, object, request); /* it may have become longer */
	if (object->closing)
		object_reap(pager, object);
	return 0;
}

int request_board(struct pager *pager, struct pager_request *request, const struct client *client)
{
	int flags = fcntl(request->fd, F_GETFL);
	struct object *object = file_named(pager, request);
	if (!object)
		return -ENOENT;
	request->object = client->number;
	request->offset = OBJECT_MAX_PAGES << PAGE_SHIFT;
	return board_open(pager, object, client, request->flags & PAGERD_BOARD_PAGES, flags,
			  &request->fd);
}
