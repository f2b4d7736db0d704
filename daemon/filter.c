/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "log.h"
#include "pagerd/protocol.h"

#define MEMORY "/dev/shm/pagerd-"

static void name_of(char *name, size_t size, const char *path)
{
	snprintf(name, size, "%s" PAGERD_FILTER_SUFFIX, path);
}

static bool in_memory(const char *name)
{
	char directory[PATH_MAX];
	struct statfs system;
	snprintf(directory, sizeof directory, "%s", name);
	char *slash = strrchr(directory, '/');
	if (slash)
		slash[slash == directory] = 0;
	return statfs(slash ? directory : ".", &system) == 0 && system.f_type == TMPFS_MAGIC;
}

/* The file that the name is to stand for; its descriptor, or -errno. */
static int file_make(const char *name)
{
	char place[] = MEMORY "XXXXXX";
	int fd;
	if (in_memory(name)) {
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		return fd < 0 ? -errno : fd;
	}
	fd = in_memory(place) ? mkostemp(place, O_CLOEXEC) : -1;
	if (fd < 0)
		return errno ? -errno : -ENOENT;
	if (symlink(place, name) == 0)
		return fd;
	int error = -errno;
	unlink(place);
	close(fd);
	return error;
}

static struct pagerd_filter *file_map(int fd, bool others)
{
	/* All of it, now: what a full tmpfs has no room for would be SIGBUS, also for who reads it.
	 */
	if (fchmod(fd, others ? 0644 : 0600) < 0 ||
	    fallocate(fd, 0, 0, sizeof(struct pagerd_filter)) < 0)
		return NULL;
	void *place =
		mmap(NULL, sizeof(struct pagerd_filter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return place == MAP_FAILED ? NULL : place;
}

struct pagerd_filter *filter_make(const char *path, bool others)
{
	char name[PATH_MAX];
	name_of(name, sizeof name, path);
	filter_remove(path);
	errno = 0;
	int fd = file_make(name);
	int error = fd < 0 ? -fd : 0;
	struct pagerd_filter *filter = fd < 0 ? NULL : file_map(fd, others);
	if (fd >= 0 && !filter) {
		error = errno;
		filter_remove(path);
	}
	if (fd >= 0)
		close(fd);
	if (!filter)
		log_warn("%s: %s: programs do not see at once what is stored in files that they "
			 "do not map",
			 name, strerror(error));
	return filter;
}

void filter_remove(const char *path)
{
	char name[PATH_MAX], place[64] = "";
	struct stat st;
	name_of(name, sizeof name, path);
	/* A link that somebody else has put there may name anything. */
	bool ours = lstat(name, &st) == 0 && st.st_uid == geteuid();
	if (ours && readlink(name, place, sizeof place - 1) > 0 &&
	    !strncmp(place, MEMORY, strlen(MEMORY)) && !strchr(place + strlen(MEMORY), '/'))
		unlink(place);
	unlink(name);
}

void filter_close(struct pagerd_filter *filter)
{
	if (!filter)
		return;
	__atomic_store_n(&filter->files, 0, __ATOMIC_SEQ_CST);
	munmap(filter, sizeof *filter);
}
