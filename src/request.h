/* SPDX-License-Identifier: MIT */
/*
 * Requests from the main thread and from clients: what each does to objects, regions and pools.
 *
 * request.c starts and ends them. Those here return 0 or -errno, and count in request->pending what
 * they wait for. The pager's thread only.
 */
#ifndef PAGERD_REQUEST_H
#define PAGERD_REQUEST_H

#include <errno.h>

#include "core.h"

#define REQUEST_ADDRESS_END (1ull << 47)

/* The parts of the client's regions in [address, address + length). */
#define for_each_overlap(client, request, index)                                                   \
	for (uint32_t index = region_index(client, (request)->address);                            \
	     index < (client)->region_count &&                                                     \
	     (client)->regions[index]->start < (request)->address + (request)->length;             \
	     index++)

/* Is its range one of whole pages in a program's memory? */
static inline bool request_valid(const struct pager_request *request)
{
	return request->length && !(request->address % PAGE_BYTES) &&
	       !(request->length % PAGE_BYTES) && request->address < REQUEST_ADDRESS_END &&
	       request->length <= REQUEST_ADDRESS_END - request->address;
}

/* What the request's range covers of region: from the start that is returned on. */
static inline uint64_t request_overlap(const struct pager_request *request,
				       const struct region *region, uint64_t *end)
{
	*end = request->address + request->length;
	*end = *end < region->end ? *end : region->end;
	return request->address > region->start ? request->address : region->start;
}

/* The same in pages of the object. */
static inline uint64_t request_pages(const struct pager_request *request,
				     const struct region *region, uint64_t *page)
{
	uint64_t end, start = request_overlap(request, region, &end);
	*page = region_page(region, start);
	return (end - start) >> PAGE_SHIFT;
}

/* None of the client's is in the request's range. */
static inline int request_empty(struct pager_request *request)
{
	request->nothing = true;
	return -ENOMEM;
}

/* request_map.c: memory that comes. */
int request_map(struct pager *pager, struct pager_request *request, struct client *client);
int request_open(struct pager *pager, struct pager_request *request, struct client *client);
int request_register(struct pager *pager, struct pager_request *request, struct client *client);

/* request_range.c: what is asked of a range of memory. */
int request_sync(struct pager *pager, struct pager_request *request, struct client *client);
int request_discard(struct pager *pager, struct pager_request *request, struct client *client);
int request_advise(struct pager *pager, struct pager_request *request, struct client *client);
int request_wire(struct pager *pager, struct pager_request *request, struct client *client);
/* Write back what is dirty in the range; flush: and the file system's part of that; wait: the
 * request waits for it. */
int request_sync_range(struct pager *pager, struct pager_request *request, struct client *client,
		       bool flush, bool wait);

/* request_file.c: calls on files that are mapped. */
int request_file_begin(struct pager *pager, struct pager_request *request, struct client *client);
int request_file_end(struct pager *pager, struct pager_request *request, struct client *client);
/* Of anybody, who need not be a client. */
int request_file_cut(struct pager *pager, struct pager_request *request);
int request_board(struct pager *pager, struct pager_request *request, const struct client *client);

#endif
