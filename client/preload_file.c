/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls that read, write and change files. */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coherent.h"
#include "cut.h"
#include "filter.h"
#include "preload.h"

/* Transfers with O_DIRECT are of whole sectors. */
#define SECTOR_BYTES 512

uint64_t file_position(const struct file_call *call, const struct stat *st)
{
	bool append = call->flags & RWF_APPEND || sys_fcntl(call->fd, F_GETFL, 0) & O_APPEND;
	if (call->write && append)
		return (uint64_t)st->st_size; /* whatever the position says */
	if (call->position >= 0)
		return (uint64_t)call->position;
	long at = sys_call(SYS_lseek, call->fd, 0, SEEK_CUR, 0, 0, 0);
	return at < 0 ? 0 : (uint64_t)at;
}

long file_unmapped(const struct file_call *call, long result)
{
	return preload_result(call->write ? file_late(call, result) : result);
}

static long file_transfer(struct file_call *call, uint64_t bytes)
{
	struct stat st;
	if (!bytes || call->position < -1)
		return preload_result(file_plain(call));
	if (!file_mapped(call->fd, &st)) {
		bool direct = bytes % SECTOR_BYTES == 0 && file_reads_direct(call);
		return file_unmapped(call, direct ? file_copied(call) : file_plain(call));
	}
	call->status = &st;
	call->offset = file_position(call, &st);
	call->length = bytes;
	/* A write beyond the end changes the bytes between, too. */
	if (call->write && call->offset > (uint64_t)st.st_size) {
		call->length += call->offset - (uint64_t)st.st_size;
		call->offset = (uint64_t)st.st_size;
	}
	return preload_result(file_coherent(call));
}

/* What cannot be read, or is too long, is the kernel's to refuse. */
static long file_transfer_vector(struct file_call *call)
{
	long bytes = vector_bytes(call->vector, call->count);
	return bytes < 0 ? preload_result(file_plain(call)) : file_transfer(call, (uint64_t)bytes);
}

/* Whether a read can be of any interest here. */
static bool plain_read(size_t bytes)
{
	return file_none() && (bytes % SECTOR_BYTES ||
			       __atomic_load_n(&preload.state, __ATOMIC_ACQUIRE) != PRELOAD_ON);
}

/* The C library's own, under names that nobody interposes. */
ssize_t __read(int fd, void *buffer, size_t bytes);
ssize_t __write(int fd, const void *buffer, size_t bytes);
ssize_t __pread64(int fd, void *buffer, size_t bytes, off64_t offset);
ssize_t __pwrite64(int fd, const void *buffer, size_t bytes, off64_t offset);

static ssize_t file_read(int fd, void *buffer, size_t bytes)
{
	if (plain_read(bytes))
		return __read(fd, buffer, bytes);
	struct iovec one = {buffer, bytes};
	struct file_call call = {
		.number = SYS_read,
		.arguments = {fd, (long)buffer, (long)bytes},
		.fd = fd,
		.vector = &one,
		.count = 1,
		.position = -1,
	};
	return file_transfer(&call, bytes);
}

EXPORT ssize_t read(int fd, void *buffer, size_t bytes)
{
	return file_read(fd, buffer, bytes);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t bytes)
{
	struct iovec one = {(void *)buffer, bytes};
	struct file_call call = {
		.number = SYS_write,
		.arguments = {fd, (long)buffer, (long)bytes},
		.fd = fd,
		.vector = &one,
		.count = 1,
		.position = -1,
		.write = true,
		.all = filter_all(),
	};
	if (file_none())
		return file_late(&call, __write(fd, buffer, bytes));
	return file_transfer(&call, bytes);
}

static ssize_t file_pread(int fd, void *buffer, size_t bytes, off_t offset)
{
	if (plain_read(bytes) || offset < 0)
		return __pread64(fd, buffer, bytes, offset);
	struct iovec one = {buffer, bytes};
	struct file_call call = {
		.number = SYS_pread64,
		.arguments = {fd, (long)buffer, (long)bytes, offset},
		.fd = fd,
		.vector = &one,
		.count = 1,
		.position = offset,
	};
	return file_transfer(&call, bytes);
}

EXPORT ssize_t pread(int fd, void *buffer, size_t bytes, off_t offset)
{
	return file_pread(fd, buffer, bytes, offset);
}

EXPORT ssize_t pread64(int fd, void *buffer, size_t bytes, off64_t offset)
	__attribute__((alias("pread")));

/* What programs call that were compiled with _FORTIFY_SOURCE: room is what the buffer has. */
_Noreturn void __chk_fail(void);
ssize_t __read_chk(int fd, void *buffer, size_t bytes, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t bytes, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t bytes, off64_t offset, size_t room);

EXPORT ssize_t __read_chk(int fd, void *buffer, size_t bytes, size_t room)
{
	if (bytes > room)
		__chk_fail();
	return file_read(fd, buffer, bytes);
}

EXPORT ssize_t __pread_chk(int fd, void *buffer, size_t bytes, off_t offset, size_t room)
{
	if (bytes > room)
		__chk_fail();
	return file_pread(fd, buffer, bytes, offset);
}

EXPORT ssize_t __pread64_chk(int fd, void *buffer, size_t bytes, off64_t offset, size_t room)
	__attribute__((alias("__pread_chk")));

EXPORT ssize_t pwrite(int fd, const void *buffer, size_t bytes, off_t offset)
{
	struct iovec one = {(void *)buffer, bytes};
	struct file_call call = {
		.number = SYS_pwrite64,
		.arguments = {fd, (long)buffer, (long)bytes, offset},
		.fd = fd,
		.vector = &one,
		.count = 1,
		.position = offset,
		.write = true,
		.all = filter_all(),
	};
	if (file_none() || offset < 0)
		return file_late(&call, __pwrite64(fd, buffer, bytes, offset));
	return file_transfer(&call, bytes);
}

EXPORT ssize_t pwrite64(int fd, const void *buffer, size_t bytes, off64_t offset)
	__attribute__((alias("pwrite")));

static ssize_t transfer_vector(struct file_call *call, const struct iovec *vector, int count,
			       off64_t position)
{
	bool none = call->write ? file_none() : plain_read(0);
	call->vector = vector;
	call->count = count;
	call->position = position;
	return none ? file_unmapped(call, file_plain(call)) : file_transfer_vector(call);
}

EXPORT ssize_t readv(int fd, const struct iovec *vector, int count)
{
	struct file_call call = {
		.number = SYS_readv, .arguments = {fd, (long)vector, count}, .fd = fd};
	return transfer_vector(&call, vector, count, -1);
}

EXPORT ssize_t writev(int fd, const struct iovec *vector, int count)
{
	struct file_call call = {.number = SYS_writev,
				 .arguments = {fd, (long)vector, count},
				 .fd = fd,
				 .write = true,
				 .all = filter_all()};
	return transfer_vector(&call, vector, count, -1);
}

EXPORT ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
	struct file_call call = {
		.number = SYS_preadv, .arguments = {fd, (long)vector, count, offset, 0}, .fd = fd};
	if (offset < 0)
		return preload_result(file_plain(&call));
	return transfer_vector(&call, vector, count, offset);
}

EXPORT ssize_t preadv64(int fd, const struct iovec *vector, int count, off64_t offset)
	__attribute__((alias("preadv")));

EXPORT ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t offset)
{
	struct file_call call = {.number = SYS_pwritev,
				 .arguments = {fd, (long)vector, count, offset, 0},
				 .fd = fd,
				 .write = true,
				 .all = filter_all()};
	if (offset < 0)
		return preload_result(file_plain(&call));
	return transfer_vector(&call, vector, count, offset);
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *vector, int count, off64_t offset)
	__attribute__((alias("pwritev")));

EXPORT ssize_t preadv2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
	struct file_call call = {.number = SYS_preadv2,
				 .arguments = {fd, (long)vector, count, offset, 0, flags},
				 .fd = fd,
				 .flags = flags};
	return transfer_vector(&call, vector, count, offset);
}

EXPORT ssize_t preadv64v2(int fd, const struct iovec *vector, int count, off64_t offset, int flags)
	__attribute__((alias("preadv2")));

EXPORT ssize_t pwritev2(int fd, const struct iovec *vector, int count, off_t offset, int flags)
{
	struct file_call call = {.number = SYS_pwritev2,
				 .arguments = {fd, (long)vector, count, offset, 0, flags},
				 .fd = fd,
				 .flags = flags,
				 .write = true,
				 .all = filter_all()};
	return transfer_vector(&call, vector, count, offset);
}

EXPORT ssize_t pwritev64v2(int fd, const struct iovec *vector, int count, off64_t offset, int flags)
	__attribute__((alias("pwritev2")));

/* ---- where there are data -------------------------------------------------------------------- */

/* Where there is a hole the kernel does not know of data that are only in a mapping. */
EXPORT off_t lseek(int fd, off_t offset, int whence)
{
	struct stat st;
	bool looks = whence == SEEK_DATA || whence == SEEK_HOLE;
	if (looks && offset >= 0 && file_mapped(fd, &st))
		file_settle(fd, &st, (uint64_t)offset, 0);
	return preload_result(sys_call(SYS_lseek, fd, offset, whence, 0, 0, 0));
}

EXPORT off64_t lseek64(int fd, off64_t offset, int whence) __attribute__((alias("lseek")));

/* ---- what changes a file from a byte on ------------------------------------------------------ */

static int file_change(struct file_call *call, off_t from, struct stat *st)
{
	call->status = st;
	call->offset = (uint64_t)(from < st->st_size ? from : st->st_size);
	return (int)preload_result(file_coherent(call));
}

EXPORT int ftruncate(int fd, off_t length)
{
	struct file_call call = {.number = SYS_ftruncate,
				 .arguments = {fd, length},
				 .fd = fd,
				 .write = true,
				 .all = filter_all()};
	struct stat st;
	if (length >= 0 && file_mapped(fd, &st))
		return file_change(&call, length, &st);
	struct cut cut = cut_begin(fd, length);
	return (int)file_unmapped(&call, cut_call(&cut, &call));
}

EXPORT int ftruncate64(int fd, off64_t length) __attribute__((alias("ftruncate")));

EXPORT int truncate(const char *path, off_t length)
{
	/* Also of a file that is mapped here: to open and close it would let go of this process's
	 * record locks (fcntl(2)). */
	struct file_call call = {.number = SYS_truncate, .arguments = {(long)path, length}};
	struct cut cut = cut_begin_path(AT_FDCWD, path, 0, length);
	return (int)preload_result(cut_call(&cut, &call));
}

EXPORT int truncate64(const char *path, off64_t length) __attribute__((alias("truncate")));

EXPORT int fallocate(int fd, int mode, off_t offset, off_t length)
{
	struct file_call call = {.number = SYS_fallocate,
				 .arguments = {fd, mode, offset, length},
				 .fd = fd,
				 .write = true,
				 .all = filter_all(),
				 .shifts = mode &
					   (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)};
	struct stat st;
	if (offset < 0 || !file_mapped(fd, &st))
		return (int)file_unmapped(&call, file_plain(&call));
	return file_change(&call, offset, &st);
}

EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length)
	__attribute__((alias("fallocate")));

/* For file systems without fallocate: as the C library, write a zero into each block that may not
 * be there. Returns the error. */
static int blocks_write(int fd, off_t offset, off_t length)
{
	struct stat st;
	if (sys_fcntl(fd, F_GETFL, 0) & O_APPEND)
		return EBADF;
	if (sys_fstat(fd, &st) < 0)
		return EBADF;
	off_t block = st.st_blksize < (off_t)PAGE_BYTES ? SECTOR_BYTES : (off_t)PAGE_BYTES;
	off_t last = offset + (length - 1);
	for (off_t at = offset + (length - 1) % block; at <= last; at += block) {
		char there = 0;
		if (at < st.st_size && pread(fd, &there, 1, at) < 0)
			return errno;
		if (!there && pwrite(fd, "", 1, at) != 1)
			return errno;
	}
	return 0;
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t length)
{
	int saved = errno;
	int result = fallocate(fd, 0, offset, length) < 0 ? errno : 0;
	if (result == EOPNOTSUPP)
		result = blocks_write(fd, offset, length);
	errno = saved;
	return result;
}

EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t length)
	__attribute__((alias("posix_fallocate")));
