/* SPDX-License-Identifier: MIT */
/* Swap: one unlinked file, grown ahead of use so that a full disk shows here and not later. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core.h"

/* The file grows by this much at a time. Preallocation makes extents long, and keeps ENOSPC out
 * of the write path. */
#define SWAP_STEP_SLOTS	 (64ull << 20 >> PAGE_SHIFT)
#define SWAP_LIMIT_SLOTS (1ull << 34) /* 64 TiB, where no limit is given */
#define SWAP_RETRY_NS	 1000000000ull

static int swap_file(int directory)
{
	int fd = openat(directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC | O_DIRECT, 0600);
	if (fd < 0)
		fd = openat(directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd < 0 ? -errno : fd;
	/* A file system without O_TMPFILE. */
	char name[40];
	snprintf(name, sizeof name, ".pagerd-swap.%ld", (long)getpid());
	fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_DIRECT, 0600);
	if (fd < 0)
		fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlinkat(directory, name, 0);
	return fd;
}

int swap_open(struct pager *pager, char *why, size_t why_bytes)
{
	pager->swap_fd = -1;
	uint64_t slots = pager->config.swap_limit_bytes
				 ? pager->config.swap_limit_bytes >> PAGE_SHIFT
				 : SWAP_LIMIT_SLOTS;
	int error = slot_init(&pager->slots, slots < SWAP_LIMIT_SLOTS ? slots : SWAP_LIMIT_SLOTS);
	pager->swap_limit_slots = pager->slots.limit;
	if (error || pager->config.swap_dir_fd < 0)
		return error;
	int fd = swap_file(pager->config.swap_dir_fd);
	if (fd < 0) {
		snprintf(why, why_bytes, "cannot make a swap file: %s", strerror(-fd));
		return fd;
	}
	pager->swap_fd = fd;
	return 0;
}

void swap_close(struct pager *pager)
{
	if (pager->swap_fd >= 0)
		close(pager->swap_fd);
	slot_finish(&pager->slots);
}

/* File systems without fallocate get a sparse file: there a full disk is a write error. */
static int swap_extend(struct pager *pager, uint64_t size_slots)
{
	off_t from = (off_t)(pager->swap_file_slots << PAGE_SHIFT);
	off_t to = (off_t)(size_slots << PAGE_SHIFT);
	int result = fallocate(pager->swap_fd, 0, from, to - from);
	if (result < 0 && errno == EOPNOTSUPP)
		result = ftruncate(pager->swap_fd, to);
	if (result == 0) {
		pager->swap_file_slots = size_slots;
		return 0;
	}
	int error = -errno;
	if (ftruncate(pager->swap_fd, from) < 0) /* what it got of the disk before it was full */
		return -errno;
	return error;
}

static int swap_grow(struct pager *pager, uint64_t slots)
{
	uint64_t step = (slots + SWAP_STEP_SLOTS - 1) / SWAP_STEP_SLOTS * SWAP_STEP_SLOTS;
	int error = swap_extend(pager, step);
	if (error == -ENOSPC || error == -EDQUOT || error == -EFBIG)
		error = swap_extend(pager,
				    (slots + SLOT_CLUSTER - 1) / SLOT_CLUSTER * SLOT_CLUSTER);
	if (error) {
		/* No slot at or above the limit is handed out for a while: those below are used. */
		pager->slots.limit = pager->swap_file_slots;
		pager->swap_retry_ns = pager->now_ns + SWAP_RETRY_NS;
		pager_warn(pager, "the disk is full for swap: write", NULL, error);
	}
	return error;
}

uint32_t swap_alloc(struct pager *pager, uint32_t want, uint64_t *slot, int *error)
{
	*error = -ENOSPC;
	if (pager->swap_fd < 0)
		return 0;
	if (pager->now_ns >= pager->swap_retry_ns)
		pager->slots.limit = pager->swap_limit_slots;
	uint32_t count = slot_alloc(&pager->slots, want, slot);
	if (count && *slot + count > pager->swap_file_slots &&
	    swap_grow(pager, *slot + count) < 0) {
		for (uint32_t i = 0; i < count; i++)
			slot_unref(&pager->slots, *slot + i);
		count = 0;
	}
	if (!count)
		pager_warn(pager, "swap is full: write", NULL, -ENOSPC);
	if (count)
		*error = 0;
	return count;
}
