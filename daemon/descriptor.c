/* SPDX-License-Identifier: MIT */
/* What the descriptors and ranges that clients send must be. */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pager.h"

#define ADDRESS_END (1ull << 47)

enum descriptor_kind descriptor_kind(int fd)
{
	char path[40], target[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(path, target, sizeof target - 1);
	target[length > 0 ? length : 0] = 0;
	if (target[0] == '/' || (length < 0 && errno == ENAMETOOLONG))
		return DESCRIPTOR_FILE; /* nothing else has such a name */
	return strcmp(target, "anon_inode:[userfaultfd]") ? DESCRIPTOR_OTHER
							  : DESCRIPTOR_USERFAULTFD;
}

bool descriptor_is_userfaultfd(int fd)
{
	return descriptor_kind(fd) == DESCRIPTOR_USERFAULTFD && fcntl(fd, F_GETFL) & O_NONBLOCK;
}

int descriptor_regular(int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? -ENODEV : 0;
}

int descriptor_mappable(int fd, bool writable)
{
	int error = descriptor_regular(fd);
	if (error)
		return error;
	/*
	 * The core opens the file again with the daemon's rights, which are more than the client's.
	 * So the kernel is asked first what this very descriptor allows: mmap refuses O_PATH, the
	 * wrong access mode, and file systems such as proc, whose files show each reader something
	 * else.
	 */
	void *page =
		mmap(NULL, PAGE_BYTES, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	munmap(page, PAGE_BYTES);
	return 0;
}

int descriptor_usable(int fd, bool write)
{
	int flags = fcntl(fd, F_GETFL), mode = flags & O_ACCMODE;
	if (flags < 0 || flags & O_PATH || (write && mode == O_RDONLY))
		return -EBADF;
	return descriptor_regular(fd);
}

bool range_valid(uint64_t address, uint64_t length_bytes)
{
	return length_bytes && !(address % PAGE_BYTES) && !(length_bytes % PAGE_BYTES) &&
	       address < ADDRESS_END && length_bytes <= ADDRESS_END - address;
}
