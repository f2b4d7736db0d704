/* SPDX-License-Identifier: MIT */
/* A swap file of our own. */
#include "kernel_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "workload/workload.h"

/* The first page of a swap file, as mkswap(8) makes it (linux/swap.h, union swap_header). */
struct swap_header {
	char boot[1024];
	uint32_t version, last_page, bad_pages;
	unsigned char uuid[16];
	char label[16];
	uint32_t padding[117];
	uint32_t first_bad;
	char rest[WORKLOAD_PAGE_BYTES - 1024 - 4 * 121 - 32 - 10];
	char magic[10];
} __attribute__((packed));
_Static_assert(sizeof(struct swap_header) == WORKLOAD_PAGE_BYTES, "one page");

static int file_fill(int fd, uint64_t pages)
{
	struct swap_header header = {.version = 1, .last_page = (uint32_t)pages};
	memcpy(header.magic, "SWAPSPACE2", sizeof header.magic);
	/* The kernel takes no holes. */
	int error = -posix_fallocate(fd, 0, (off_t)(pages + 1) * WORKLOAD_PAGE_BYTES);
	if (!error && pwrite(fd, &header, sizeof header, 0) != sizeof header)
		error = -EIO;
	if (!error && fsync(fd))
		error = -errno;
	return error;
}

static int file_make(const char *path, uint64_t pages)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int error = file_fill(fd, pages);
	close(fd);
	return error;
}

int kernel_swap_on(struct kernel_swap *swap, const char *dir, uint64_t pages, char *why,
		   size_t why_bytes)
{
	snprintf(swap->path, sizeof swap->path, "%s/pagerbench-swap.%d", dir, (int)getpid());
	int error = file_make(swap->path, pages);
	if (!error && swapon(swap->path, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK))
		error = -errno;
	if (!error)
		return 0;
	snprintf(why, why_bytes, "no swap in %s: %s", swap->path, strerror(-error));
	if (error != -EEXIST)
		unlink(swap->path);
	swap->path[0] = 0;
	return error;
}

void kernel_swap_off(struct kernel_swap *swap)
{
	if (!swap->path[0])
		return;
	swapoff(swap->path);
	unlink(swap->path);
	swap->path[0] = 0;
}
