/* SPDX-License-Identifier: MIT */
/*
 * Files that are cloned are copied: see preload_copy.c.
 *
 * A program that registers memory with a userfaultfd of its own is to serve its faults: such memory
 * leaves the pager. (The kernel lets no two userfaultfds have the same range.)
 */
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "coherent.h"
#include "preload.h"

static void leave_pager(const struct uffdio_range *range)
{
	sys_signals signals;
	preload_enter(&signals);
	/* Where that fails the ioctl will, too. */
	if (range_valid(range->start, range->len))
		paged_surrender(&preload.paged, range->start, range->len);
	preload_leave(&signals);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == FICLONE || request == FICLONERANGE)
		return file_clone(fd, request, argument);
	if (request == UFFDIO_REGISTER && preload_paging())
		leave_pager(argument);
	return preload_result(sys_ioctl(fd, request, (long)argument));
}
