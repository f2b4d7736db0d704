/* SPDX-License-Identifier: MIT */
/* Objects of files: found by inode, with descriptors of their own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"

/*
 * The file's descriptors, with descriptions of our own: O_DIRECT and O_APPEND are flags of the
 * description, which the client shares with fd. Never with more rights.
 */
static int file_descriptors(int fd, int mode, int *direct, int *tail)
{
	int status = fcntl(fd, F_GETFL);
	int own = reopen(fd, mode);
	if (own < 0) {
		/* Not ours to open, but it was given to us: share it, if it writes in place. */
		if (mode == O_RDWR && (status & O_APPEND))
			return -EACCES;
		own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (own < 0)
			return -errno;
	} else {
		posix_fadvise(own, 0, 0, POSIX_FADV_RANDOM); /* we read ahead ourselves */
	}
	*tail = own;
	own = reopen(fd, mode | O_DIRECT);
	if (own < 0)
		own = fcntl(*tail, F_DUPFD_CLOEXEC, 0);
	if (own < 0) {
		int error = -errno;
		close(*tail);
		*tail = -1;
		return error;
	}
	*direct = own;
	return 0;
}

static struct object **file_slot(struct pager *pager, dev_t device, ino_t inode)
{
	uint64_t hash = (inode * 0x9e3779b97f4a7c15ull ^ device * 0xc2b2ae3d27d4eb4full) >> 40;
	return &pager->file_hash[hash % FILE_HASH];
}

static struct object *file_find(struct pager *pager, dev_t device, ino_t inode)
{
	struct object *object = *file_slot(pager, device, inode);
	while (object && (object->device != device || object->inode != inode))
		object = object->hash_next;
	return object;
}

struct object *object_find_file(struct pager *pager, int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 ? NULL : file_find(pager, st.st_dev, st.st_ino);
}

void object_show(struct pager *pager, struct object *object, bool shown)
{
	if (!pager->filter || object->shown == shown)
		return;
	uint64_t *word = &pager->filter->words[pagerd_filter_word(object->device, object->inode)];
	object->shown = shown;
	if (shown) {
		__atomic_fetch_add(word, PAGERD_FILTER_ONE, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&pager->filter->files, PAGERD_FILTER_ONE, __ATOMIC_SEQ_CST);
	} else {
		__atomic_fetch_sub(&pager->filter->files, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_sub(word, 1, __ATOMIC_SEQ_CST);
	}
}

void object_file_forget(struct pager *pager, struct object *object)
{
	object_show(pager, object, false);
	struct object **link = file_slot(pager, object->device, object->inode);
	while (*link != object)
		link = &(*link)->hash_next;
	*link = object->hash_next;
}

/* The object was open for reading only; now somebody may write. */
static int file_upgrade(struct pager *pager, struct object *object, int fd)
{
	int direct = -1, tail = -1;
	int error = file_descriptors(fd, O_RDWR, &direct, &tail);
	if (error)
		return error;
	/* The kernel may look up a descriptor as late as when one of its threads begins. Once in an
	 * object's life: they are closed with it. */
	object->fd_before[0] = object->fd;
	object->fd_before[1] = object->fd_tail;
	object->fd = direct;
	object->fd_tail = tail;
	object->writable = true;
	return 0;
}

static int file_create(struct pager *pager, int fd, const struct stat *st, bool writable,
		       struct object **out)
{
	int direct = -1, tail = -1;
	int error = file_descriptors(fd, writable ? O_RDWR : O_RDONLY, &direct, &tail);
	if (error)
		return error;
	struct object *object;
	error = object_create(pager, PAGERD_FILE_SHARED, 1, &object);
	if (error) {
		close(direct);
		close(tail);
		return error;
	}
	object->fd = direct;
	object->fd_tail = tail;
	object->device = st->st_dev;
	object->inode = st->st_ino;
	object->writable = writable;
	cache_watch(object, st);
	struct object **slot = file_slot(pager, st->st_dev, st->st_ino);
	object->hash_next = *slot;
	*slot = object;
	object_show(pager, object, true);
	*out = object;
	return 0;
}

void object_reopen(struct pager *pager, struct object *object)
{
	if (!object->closing)
		return;
	object->closing = false;
	pager->closing_objects--;
	drain_check(pager);
}

int object_open_file(struct pager *pager, int fd, bool writable, struct object **out)
{
	struct stat st;
	int status = fcntl(fd, F_GETFL);
	if (status < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (status & O_PATH)
		return -EBADF; /* opens nothing: its user may have no right to the contents */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((status & O_ACCMODE) == O_WRONLY || (writable && (status & O_ACCMODE) != O_RDWR))
		return -EACCES;
	struct object *object = file_find(pager, st.st_dev, st.st_ino);
	if (!object)
		return file_create(pager, fd, &st, writable, out);
	/* Who has written it without seeing that, has done so before we look. */
	object_show(pager, object, true);
	fstat(fd, &st);
	if (object->cached.idle)
		cache_take(pager, object, &st);
	if (writable && !object->writable) {
		int error = file_upgrade(pager, object, fd);
		if (error) {
			object_release(pager, object); /* it may have been kept */
			return error;
		}
	}
	object_reopen(pager, object);
	*out = object;
	return 0;
}

uint64_t object_file_pages(const struct object *object, uint64_t *bytes)
{
	struct stat st;
	if (fstat(object->fd, &st) < 0)
		st.st_size = 0;
	*bytes = (uint64_t)st.st_size;
	return ((uint64_t)st.st_size + PAGE_BYTES - 1) >> PAGE_SHIFT;
}

uint64_t object_pages_look(struct object *object)
{
	uint64_t bytes;
	object->pages_seen = object_file_pages(object, &bytes);
	return object->pages_seen;
}

uint64_t object_pages_seen(struct object *object, uint64_t page)
{
	return page < object->pages_seen ? object->pages_seen : object_pages_look(object);
}

bool object_sparse(const struct object *object)
{
	struct stat st;
	return object_is_file(object) && fstat(object->fd, &st) == 0 &&
	       (uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size;
}
