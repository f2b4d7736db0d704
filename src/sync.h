/* SPDX-License-Identifier: MIT */
/*
 * Write-back of ranges: msync, munmap, the last unmap of a file, a fork, old dirty pages.
 *
 * A sync walks a range of an object once, writes what is dirty, waits for writes of those pages
 * that were in flight before, and ends when all are done. Pages dirtied again behind it are not
 * its business. The pager's thread only.
 */
#ifndef PAGERD_SYNC_H
#define PAGERD_SYNC_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct object;
struct pager_request;

struct sync {
	uint32_t object;
	uint64_t cursor; /* next page to look at */
	uint64_t end;
	uint32_t pending; /* writes in flight that it started */
	int error;
	bool flush; /* then fsync */
	bool flushing;
	bool awaited;		       /* by the pager's end, see stop.h */
	bool evict;		       /* drop each page once it is clean (MADV_PAGEOUT) */
	struct pager_request *request; /* one of its pending parts; NULL: nobody waits */
	struct sync *next;
};

/* Start a sync of pages [page, end) of object; request->pending is raised until it ends.
 * 0 or -ENOMEM. */
int sync_start(struct pager *pager, struct object *object, uint64_t page, uint64_t end, bool flush,
	       struct pager_request *request);
/* Start one of the whole object, for nobody, unless one of it is under way. */
void sync_whole(struct pager *pager, struct object *object);
/* Let all syncs go on as far as they can; called after I/O ended. */
void sync_run(struct pager *pager);
/* Write back the pages of files that have been dirty for longer than the limit. */
void sync_old(struct pager *pager);
/* A part of a request with several parts ended. */
void request_part_done(struct pager *pager, struct pager_request *request, int error);

#endif
