/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pagerd/protocol.h"
#include "sys.h"

#define NAME_BYTES 128

static const struct pagerd_filter *filter;
static ino_t inode; /* its */
static dev_t device;

/* A file of somebody else's might become shorter. */
static bool right(const struct stat *st, const char *socket)
{
	struct stat other;
	return S_ISREG(st->st_mode) && st->st_size == sizeof(struct pagerd_filter) &&
	       sys_call(SYS_newfstatat, AT_FDCWD, (long)socket, (long)&other, 0, 0, 0) == 0 &&
	       st->st_uid == other.st_uid;
}

/* One that was there before stays mapped: somebody may be looking. */
static const struct pagerd_filter *filter_map(int fd, const char *socket)
{
	struct stat st;
	if (sys_fstat(fd, &st) < 0 || !right(&st, socket))
		return NULL;
	if (filter && st.st_ino == inode && st.st_dev == device)
		return filter;
	long place = sys_mmap(0, sizeof(struct pagerd_filter), PROT_READ, MAP_SHARED, fd, 0);
	inode = st.st_ino;
	device = st.st_dev;
	return place < 0 ? NULL : (const struct pagerd_filter *)place;
}

void filter_open(const char *socket)
{
	const struct pagerd_filter *found = NULL;
	char name[NAME_BYTES];
	size_t length = strlen(socket);
	if (length + sizeof(PAGERD_FILTER_SUFFIX) > sizeof(name))
		return;
	memcpy(name, socket, length);
	memcpy(name + length, PAGERD_FILTER_SUFFIX, sizeof(PAGERD_FILTER_SUFFIX));
	int fd = (int)sys_call(SYS_openat, AT_FDCWD, (long)name, O_RDONLY | O_CLOEXEC | O_NONBLOCK,
			       0, 0, 0);
	if (fd >= 0) {
		found = filter_map(fd, socket);
		sys_close(fd);
	}
	__atomic_store_n(&filter, found, __ATOMIC_RELEASE);
}

void filter_forget(void)
{
	__atomic_store_n(&filter, NULL, __ATOMIC_RELEASE);
}

static const struct pagerd_filter *current(void)
{
	return __atomic_load_n(&filter, __ATOMIC_ACQUIRE);
}

bool filter_there(void)
{
	return current() != NULL;
}

uint64_t filter_all(void)
{
	const struct pagerd_filter *now = current();
	return now ? __atomic_load_n(&now->files, __ATOMIC_SEQ_CST) : 0;
}

uint64_t filter_look(const struct stat *status)
{
	const struct pagerd_filter *now = current();
	uint32_t number = pagerd_filter_word(status->st_dev, status->st_ino);
	uint64_t word = now ? __atomic_load_n(&now->words[number], __ATOMIC_SEQ_CST) : 0;
	return filter_any(word) ? word : 0;
}
