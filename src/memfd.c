/* SPDX-License-Identifier: MIT */
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int memfd_make(const char *name, uint64_t bytes, int seals)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t)bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | seals) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int memfd_pass(int memfd, bool read_only)
{
	if (read_only)
		return reopen(memfd, O_RDONLY);
	int fd = fcntl(memfd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int reopen(int fd, int flags)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	/* Where somebody has a lease, open(2) would wait until he gives it up. To stay, the flag
	 * makes the ring fail what it has to wait for. */
	int own = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (own < 0)
		return -errno;
	fcntl(own, F_SETFL, flags);
	return own;
}
