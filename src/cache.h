/* SPDX-License-Identifier: MIT */
/*
 * Files that nobody maps any more, whose pages stay for a while, for whoever maps them again. Their
 * frames are evicted as all others.
 *
 * They may be used again only if the file is as it was when the object was made, before its first
 * page was read. The file's time of change (ctime) tells: the kernel sets it before it writes for
 * write(2) and the like, and before the first store to a page through a mapping. Two changes may
 * have the same one, and a page that was stored into already is stored into unseen; therefore an
 * object qualifies only if, when it was made,
 *  - its ctime was longer ago than any clock of a file system is coarse: later changes have
 *    another;
 *  - nobody had the file open for writing, by a mapping or else, so that nothing had been stored
 *    into by anybody who is there;
 *  - the file system is one that is known to keep to this;
 * and only while it is not written to by our own clients' mappings.
 *
 * What is kept keeps its file system busy, and the blocks of a file that is deleted: for IDLE_NS,
 * or for a tick where the file has no name any more. The pager's thread only.
 */
#ifndef PAGERD_CACHE_H
#define PAGERD_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct pager;
struct object;

/* Of an object. */
struct cached {
	bool constant; /* qualifies: changes of the file are seen */
	bool idle;     /* nobody maps it, it is in the list */
	uint64_t since_ns;
	struct timespec changed, modified; /* of the file when the object was made */
	off_t bytes;
	struct object *older, *newer;
};

struct cache {
	struct object *oldest, *newest;
	uint32_t count;
};

/* A file object was made, none of whose pages was read; st is of before. */
void cache_watch(struct object *object, const struct stat *st);
/* Nobody maps object any more, nor is about to: keep it, if its pages may be of use. */
bool cache_keep(struct pager *pager, struct object *object);
/* Somebody maps the kept object. Its pages are dropped if the file, which is now st, has changed.
 */
void cache_take(struct pager *pager, struct object *object, const struct stat *st);
/* Let go what has been idle for long, has changed, or has no name any more. Call each tick. */
void cache_tick(struct pager *pager);
/* Let go all. */
void cache_clear(struct pager *pager);

#endif
