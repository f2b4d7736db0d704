/* SPDX-License-Identifier: MIT */
/*
 * Wrappers of the calls that read and write files.
 *
 * The kernel has one copy of a file's page, and programs rely on it: what they store through a
 * shared mapping is read by read(2), what they write with write(2) is seen in the mapping. Paged
 * pages are the daemon's copy, so for files that are mapped here, before a read what was changed is
 * written back; around a write the range is written back, writers through mappings wait, and
 * then the pages are read again.
 */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "preload.h"

void preload_file_mapped(int fd)
{
	struct stat st;
	if (sys_call(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) < 0)
		return;
	uint32_t count = preload.file_count;
	for (uint32_t i = 0; i < count && i < PRELOAD_FILES; i++)
		if (preload.files[i].device == st.st_dev && preload.files[i].inode == st.st_ino)
			return;
	if (count < PRELOAD_FILES)
		preload.files[count] = (struct preload_file){st.st_dev, st.st_ino};
	__atomic_store_n(&preload.file_count, count + 1, __ATOMIC_RELEASE);
}

/* May fd's file be mapped here? Fills *st if so. */
static bool file_mapped(int fd, struct stat *st)
{
	uint32_t count = __atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE);
	if (!count || !preload_paging())
		return false;
	if (sys_call(SYS_fstat, fd, (long)st, 0, 0, 0, 0) < 0 || !S_ISREG(st->st_mode))
		return false;
	for (uint32_t i = 0; i < count && i < PRELOAD_FILES; i++)
		if (preload.files[i].device == st->st_dev && preload.files[i].inode == st->st_ino)
			return true;
	return count > PRELOAD_FILES;
}

/* One call on a file: the system call's number and arguments, and the bytes that it touches. */
struct file_call {
	long number;
	long arguments[6];
	uint64_t offset;
	uint64_t length; /* 0: to the end */
	bool write;
};

static long file_system_call(const struct file_call *call)
{
	const long *a = call->arguments;
	return sys_call(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Outside our business these are cancellation points (pthreads(7)), as the C library's are. */
static long file_plain(const struct file_call *call)
{
	int type;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	long result = file_system_call(call);
	pthread_setcanceltype(type, NULL);
	return result;
}

static long file_coherent(const struct file_call *call)
{
	struct session *session = &preload.paged.session;
	sys_signals signals;
	preload_enter(&signals);
	int begun = session_file_begin(session, (int)call->arguments[0], call->offset,
				       call->length, call->write);
	if (begun == -ENOTCONN)
		preload_die("the daemon has gone with what was changed in a mapped file");
	if (!call->write)
		preload_leave(&signals);
	long result = call->write ? file_system_call(call) : file_plain(call);
	if (call->write) {
		if (begun == 0)
			session_file_end(session, call->offset, call->length);
		preload_leave(&signals);
	}
	return result;
}

static long file_result(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* Calls at the descriptor's own position; appending ones begin at the file's end. */
static uint64_t file_position(int fd, bool write, const struct stat *st)
{
	if (write && sys_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0) & O_APPEND)
		return (uint64_t)st->st_size;
	long at = sys_call(SYS_lseek, fd, 0, SEEK_CUR, 0, 0, 0);
	return at < 0 ? 0 : (uint64_t)at;
}

/* position: -1 for the descriptor's own. */
static long file_transfer(struct file_call *call, long position, uint64_t bytes)
{
	struct stat st;
	int fd = (int)call->arguments[0];
	if (!bytes || !file_mapped(fd, &st))
		return file_result(file_plain(call));
	bool append = call->write && position >= 0 &&
		      sys_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0) & O_APPEND;
	call->offset = position < 0 ? file_position(fd, call->write, &st) : (uint64_t)position;
	if (append) /* Linux appends whatever the position says */
		call->offset = (uint64_t)st.st_size;
	/* A write beyond the end changes the bytes between, too. */
	if (call->write && call->offset > (uint64_t)st.st_size) {
		bytes += call->offset - (uint64_t)st.st_size;
		call->offset = (uint64_t)st.st_size;
	}
	call->length = bytes;
	return file_result(file_coherent(call));
}

static uint64_t vector_bytes(const struct iovec *vector, int count)
{
	uint64_t bytes = 0;
	for (int i = 0; i < count && i < 1024; i++)
		bytes += vector[i].iov_len;
	return bytes;
}

static bool no_files(void)
{
	return !__atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE);
}

/* The C library's own, under names that nobody interposes. */
ssize_t __read(int fd, void *buffer, size_t bytes);
ssize_t __write(int fd, const void *buffer, size_t bytes);
ssize_t __pread64(int fd, void *buffer, size_t bytes, off64_t offset);
ssize_t __pwrite64(int fd, const void *buffer, size_t bytes, off64_t offset);

EXPORT ssize_t read(int fd, void *buffer, size_t bytes)
{
	if (no_files())
		return __read(fd, buffer, bytes);
	struct file_call call = {.number = SYS_read, .arguments = {fd, (long)buffer, (long)bytes}};
	return file_transfer(&call, -1, bytes);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t bytes)
{
	if (no_files())
		return __write(fd, buffer, bytes);
	struct file_call call = {
		.number = SYS_write, .arguments = {fd, (long)buffer, (long)bytes}, .write = true};
	return file_transfer(&call, -1, bytes);
}

EXPORT ssize_t pread(int fd, void *buffer, size_t bytes, off_t offset)
{
	if (no_files())
		return __pread64(fd, buffer, bytes, offset);
	struct file_call call = {.number = SYS_pread64,
				 .arguments = {fd, (long)buffer, (long)bytes, offset}};
	return file_transfer(&call, offset < 0 ? 0 : offset, bytes);
}

EXPORT ssize_t pread64(int fd, void *buffer, size_t bytes, off64_t offset)
	__attribute__((alias("pread")));

EXPORT ssize_t pwrite(int fd, const void *buffer, size_t bytes, off_t offset)
{
	if (no_files())
		return __pwrite64(fd, buffer, bytes, offset);
	struct file_call call = {.number = SYS_pwrite64,
				 .arguments = {fd, (long)buffer, (long)bytes, offset},
				 .write = true};
	return file_transfer(&call, offset < 0 ? 0 : offset, bytes);
}

EXPORT ssize_t pwrite64(int fd, const void *buffer, size_t bytes, off64_t offset)
	__attribute__((alias("pwrite")));

EXPORT ssize_t readv(int fd, const struct iovec *vector, int count)
{
	struct file_call call = {.number = SYS_readv, .arguments = {fd, (long)vector, count}};
	if (no_files())
		return file_result(file_plain(&call));
	return file_transfer(&call, -1, vector_bytes(vector, count));
}

EXPORT ssize_t writev(int fd, const struct iovec *vector, int count)
{
	struct file_call call = {
		.number = SYS_writev, .arguments = {fd, (long)vector, count}, .write = true};
	if (no_files())
		return file_result(file_plain(&call));
	return file_transfer(&call, -1, vector_bytes(vector, count));
}

EXPORT ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
	struct file_call call = {.number = SYS_preadv,
				 .arguments = {fd, (long)vector, count, offset, 0}};
	if (no_files())
		return file_result(file_plain(&call));
	return file_transfer(&call, offset < 0 ? 0 : offset, vector_bytes(vector, count));
}

EXPORT ssize_t preadv64(int fd, const struct iovec *vector, int count, off64_t offset)
	__attribute__((alias("preadv")));

EXPORT ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t offset)
{
	struct file_call call = {.number = SYS_pwritev,
				 .arguments = {fd, (long)vector, count, offset, 0},
				 .write = true};
	if (no_files())
		return file_result(file_plain(&call));
	return file_transfer(&call, offset < 0 ? 0 : offset, vector_bytes(vector, count));
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *vector, int count, off64_t offset)
	__attribute__((alias("pwritev")));

/* Calls that change the file from a byte on. */
static int file_change(struct file_call *call, off_t from)
{
	struct stat st;
	if (from < 0 || !file_mapped((int)call->arguments[0], &st))
		return (int)file_result(file_plain(call));
	call->write = true;
	call->offset = (uint64_t)(from < st.st_size ? from : st.st_size);
	return (int)file_result(file_coherent(call));
}

EXPORT int ftruncate(int fd, off_t length)
{
	struct file_call call = {.number = SYS_ftruncate, .arguments = {fd, length}};
	return file_change(&call, length);
}

EXPORT int ftruncate64(int fd, off64_t length) __attribute__((alias("ftruncate")));

EXPORT int fallocate(int fd, int mode, off_t offset, off_t length)
{
	struct file_call call = {.number = SYS_fallocate, .arguments = {fd, mode, offset, length}};
	return file_change(&call, offset);
}

EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length)
	__attribute__((alias("fallocate")));

/* What is on its way to the file must be in it before the kernel makes it durable. */
static int file_flush(long number, int fd)
{
	struct stat st;
	struct file_call call = {.number = number, .arguments = {fd}};
	long result = file_mapped(fd, &st) ? file_coherent(&call) : file_plain(&call);
	return (int)file_result(result);
}

EXPORT int fsync(int fd)
{
	return file_flush(SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
	return file_flush(SYS_fdatasync, fd);
}
