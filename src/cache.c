/* SPDX-License-Identifier: MIT */
/* Files that nobody maps any more, whose pages stay for a while. */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <time.h>

#include "core.h"

#define OBJECTS_MOST 64u
#define IDLE_NS	     2000000000ull
/* Some file systems count seconds, clocks of the kernel's go in steps of up to 10 ms. */
#define COARSE_S 2

#define XFS_MAGIC 0x58465342 /* linux/magic.h of 6.1 lacks it */

/* On a disk of this machine's, with ctime as said in the header. Elsewhere (network, FUSE, layers
 * over others) a file may change without it, or without anybody here having it open. */
static bool system_known(int fd)
{
	struct statfs system;
	if (fstatfs(fd, &system) < 0)
		return false;
	return system.f_type == EXT4_SUPER_MAGIC || system.f_type == XFS_MAGIC ||
	       system.f_type == BTRFS_SUPER_MAGIC;
}

/*
 * The kernel grants a lease for reading only if the file is open for writing nowhere: this is how
 * to ask, not what is wanted, and it is given back at once. Who opens the file in between waits for
 * that. A descriptor that we share with a client may have a lease of the client's, which is left
 * alone. Needs CAP_LEASE for files of other users.
 */
static bool open_for_writing(int fd)
{
	if (fcntl(fd, F_GETLEASE) != F_UNLCK || fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return true;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

static bool changed_long_ago(const struct stat *st)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	/* With whole seconds, a clock that is set back may meet the same one again. */
	return st->st_ctim.tv_nsec && now.tv_sec - st->st_ctim.tv_sec >= COARSE_S;
}

void cache_watch(struct object *object, const struct stat *st)
{
	struct cached *cached = &object->cached;
	cached->changed = st->st_ctim;
	cached->modified = st->st_mtim;
	cached->bytes = st->st_size;
	/* In this order: who opens the file to write after the first is seen by the second, or
	 * changes ctime after st. */
	cached->constant = !object->writable && changed_long_ago(st) && system_known(object->fd) &&
			   !open_for_writing(object->fd);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool unchanged(const struct object *object, const struct stat *st)
{
	const struct cached *cached = &object->cached;
	return cached->constant && !object->writable && cached->bytes == st->st_size &&
	       same_time(&cached->changed, &st->st_ctim) &&
	       same_time(&cached->modified, &st->st_mtim);
}

/* Looks at the file. */
static bool worth_keeping(const struct object *object)
{
	struct stat st;
	return fstat(object->fd, &st) == 0 && st.st_nlink && unchanged(object, &st);
}

static void cache_unlink(struct cache *cache, struct object *object)
{
	struct cached *cached = &object->cached;
	*(cached->older ? &cached->older->cached.newer : &cache->oldest) = cached->newer;
	*(cached->newer ? &cached->newer->cached.older : &cache->newest) = cached->older;
	cached->older = cached->newer = NULL;
	cached->idle = false;
	cache->count--;
}

static void cache_let_go(struct pager *pager, struct object *object)
{
	cache_unlink(&pager->cache, object);
	object->cached.constant = false;
	object_release(pager, object);
}

bool cache_keep(struct pager *pager, struct object *object)
{
	struct cache *cache = &pager->cache;
	struct cached *cached = &object->cached;
	if (pager->stopping || !object->resident_pages || !worth_keeping(object))
		return false;
	pool_give_up(pager, &object->pool);
	cached->idle = true;
	object_show(pager, object, false);
	cached->since_ns = pager->now_ns;
	cached->older = cache->newest;
	*(cache->newest ? &cache->newest->cached.newer : &cache->oldest) = object;
	cache->newest = object;
	if (++cache->count > OBJECTS_MOST)
		cache_let_go(pager, cache->oldest);
	return true;
}

void cache_take(struct pager *pager, struct object *object, const struct stat *st)
{
	cache_unlink(&pager->cache, object);
	if (unchanged(object, st))
		return;
	io_unstage_object(pager, object, 0, object->capacity_pages);
	object_discard(pager, object, 0, object->capacity_pages);
	object->pages_seen = 0;
	cache_watch(object, st);
}

void cache_tick(struct pager *pager)
{
	for (struct object *object = pager->cache.oldest, *newer; object; object = newer) {
		newer = object->cached.newer;
		if (pager->now_ns - object->cached.since_ns > IDLE_NS || !worth_keeping(object))
			cache_let_go(pager, object);
	}
}

void cache_clear(struct pager *pager)
{
	while (pager->cache.oldest)
		cache_let_go(pager, pager->cache.oldest);
}
