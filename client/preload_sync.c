/* SPDX-License-Identifier: MIT */
/*
 * Wrappers of the calls that make files durable: what is on its way to a file must be in it before
 * the kernel does.
 */
#undef _FILE_OFFSET_BITS

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coherent.h"
#include "preload.h"

static int file_flush(struct file_call *call)
{
	struct stat st;
	call->status = &st;
	bool mapped = file_mapped(call->fd, &st);
	return (int)preload_result(mapped ? file_coherent(call) : file_plain(call));
}

EXPORT int fsync(int fd)
{
	struct file_call call = {.number = SYS_fsync, .arguments = {fd}, .fd = fd};
	return file_flush(&call);
}

EXPORT int fdatasync(int fd)
{
	struct file_call call = {.number = SYS_fdatasync, .arguments = {fd}, .fd = fd};
	return file_flush(&call);
}

EXPORT int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
	struct file_call call = {
		.number = SYS_sync_file_range,
		.arguments = {fd, offset, length, flags},
		.fd = fd,
		.offset = (uint64_t)offset,
		.length = (uint64_t)length,
	};
	if (offset < 0 || length < 0)
		return (int)preload_result(file_plain(&call));
	return file_flush(&call);
}

/* What was stored through all mappings of this process. */
static void mapped_settle(void)
{
	if (!__atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE) || !preload_paging())
		return;
	sys_signals signals;
	preload_enter(&signals);
	paged_settle(&preload.paged);
	preload_leave(&signals);
}

EXPORT void sync(void)
{
	mapped_settle();
	sys_call(SYS_sync, 0, 0, 0, 0, 0, 0);
}

EXPORT int syncfs(int fd)
{
	mapped_settle();
	return (int)preload_result(sys_call(SYS_syncfs, fd, 0, 0, 0, 0, 0));
}
