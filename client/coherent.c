/* SPDX-License-Identifier: MIT */
#undef _FILE_OFFSET_BITS

#include "coherent.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "preload.h"

void preload_file_mapped(int fd)
{
	struct stat st;
	if (sys_fstat(fd, &st) < 0)
		return;
	uint32_t count = preload.file_count;
	for (uint32_t i = 0; i < count && i < PRELOAD_FILES; i++)
		if (preload.files[i].device == st.st_dev && preload.files[i].inode == st.st_ino)
			return;
	if (count < PRELOAD_FILES)
		preload.files[count] = (struct preload_file){st.st_dev, st.st_ino};
	__atomic_store_n(&preload.file_count, count + 1, __ATOMIC_RELEASE);
}

bool file_known(const struct stat *st)
{
	uint32_t count = __atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE);
	if (!S_ISREG(st->st_mode))
		return false;
	for (uint32_t i = 0; i < count && i < PRELOAD_FILES; i++)
		if (preload.files[i].device == st->st_dev && preload.files[i].inode == st->st_ino)
			return true;
	return count > PRELOAD_FILES;
}

bool file_mapped(int fd, struct stat *st)
{
	return __atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE) && preload_paging() &&
	       sys_fstat(fd, st) == 0 && file_known(st);
}

long file_system_call(const struct file_call *call)
{
	const long *a = call->arguments;
	return sys_call(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long file_plain(const struct file_call *call)
{
	int type;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	long result = file_system_call(call);
	pthread_setcanceltype(type, NULL);
	return result;
}

static int file_begin(int fd, uint64_t offset, uint64_t length, bool write)
{
	int begun = session_file_begin(&preload.paged.session, fd, offset, length, write);
	if (begun == -ENOTCONN)
		preload_die("the daemon has gone with what was changed in a mapped file");
	return begun;
}

int file_settle(int fd, uint64_t offset, uint64_t length)
{
	sys_signals signals;
	preload_enter(&signals);
	int result = file_begin(fd, offset, length, false);
	preload_leave(&signals);
	return result;
}

/*
 * The kernel reads what is written with the file locked. If that is paged memory, the daemon might
 * need the lock to bring it in: to read it from the same file, or to write back pages of that file
 * which must make room. So it is copied before.
 */
static long file_write(const struct file_call *call)
{
	sys_signals signals;
	preload_enter(&signals);
	int begun = file_begin(call->fd, call->offset, call->length, true);
	bool copied = begun == 0 && call->vector;
	long result = copied ? file_copied(call) : file_system_call(call);
	if (begun == 0)
		session_file_end(&preload.paged.session, call->offset, call->length,
				 call->shifts && result >= 0);
	preload_leave(&signals);
	return result;
}

long file_coherent(const struct file_call *call)
{
	if (call->write)
		return file_write(call);
	file_settle(call->fd, call->offset, call->length);
	return call->vector && file_reads_direct(call) ? file_copied(call) : file_plain(call);
}
