/* SPDX-License-Identifier: MIT */
/*
 * Learned sets: which pages of files the programs of a run touch, and which they are expected to.
 *
 * A learn belongs to whoever made it, and ends with him. Clients of the same user join it by its
 * number. Of each file that they map from then on it records the pages that they fault on, if it is
 * to record; and has those read in ahead that it was told of before (warmup.h). Anonymous memory
 * has nothing to be read at the start.
 *
 * What is recorded is exact: the regions of clients that record are registered for faults on pages
 * that are there, and what is read ahead is not mapped for them. The pager's thread only.
 */
#ifndef PAGERD_LEARN_H
#define PAGERD_LEARN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pager.h"

#define LEARN_MAX	 64u   /* at the same time; a user, root apart, has an eighth of them */
#define LEARN_FILES_MAX	 4096u /* of one learn */
#define LEARN_RANGES_MAX (512u << 10)
#define LEARN_PAGES_MAX	 (1ull << 26) /* of a file; pages beyond are not recorded */

struct pager;
struct client;
struct object;
struct region;

struct learn_file {
	dev_t device;
	ino_t inode;
	char *path;		     /* when it was first mapped; NULL: not known */
	uint64_t *touched;	     /* a bit a page, or NULL */
	uint64_t pages;		     /* that touched has bits for */
	struct pagerd_pages *wanted; /* ascending */
	uint32_t wanted_count;
	uint32_t wanted_room;
	struct learn_file *next;
};

struct learn {
	uint64_t number; /* 0: free; never the same twice */
	uint32_t uid;
	bool record;
	uint32_t file_count;
	uint32_t range_count;
	struct learn_file *files;
};

void learns_finish(struct pager *pager);

/* PAGER_LEARN, PAGER_LEARN_PAGES, PAGER_LEARN_END: see pager.h. */
int learn_start(struct pager *pager, struct pager_request *request);
int learn_pages(struct pager *pager, const struct pager_request *request);
void learn_end(struct pager *pager, uint64_t number);
/* The client takes part. 0, or -ENOENT (there is none, or it is another user's). */
int learn_join(struct pager *pager, struct client *client, uint64_t number);
/* A snapshot's section. 0 or -ENOMEM. */
int learn_snapshot(struct pager *pager, uint64_t number, struct pager_snapshot *snapshot);

/* Are the client's accesses recorded? */
bool learn_records(struct pager *pager, const struct client *client);
/* The client has a new region. */
void learn_region(struct pager *pager, const struct client *client, struct region *region);

static inline void learn_touch(struct learn_file *file, uint64_t page)
{
	if (file && page < file->pages)
		file->touched[page / 64] |= 1ull << (page % 64);
}

#endif
