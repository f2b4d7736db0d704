/* SPDX-License-Identifier: MIT */
/*
 * What a process says about itself.
 *
 * prctl: a process in strict seccomp may read and write, and make no other calls: it does not look
 * after others' files any more.
 *
 * process_madvise: since Linux 6.13 a process may give itself any advice by it, also such as throws
 * memory away. What it says of other processes is the kernel's business.
 */
#include <errno.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "filter.h"
#include "preload.h"

/* Newer than Debian 12's headers. */
#define SELF_THREAD	  (-10000)
#define SELF_THREAD_GROUP (-10001)

struct pidfd_facts {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t thread;
	uint32_t process;
	uint32_t more[10];
};
#define FACTS_GET _IOWR(0xFF, 11, struct pidfd_facts)

/* The kernel can tell as long as it knows that advice: both came at the same time. */
static bool process_self(int pidfd)
{
	struct pidfd_facts facts = {0};
	if (pidfd == SELF_THREAD || pidfd == SELF_THREAD_GROUP)
		return true;
	return sys_ioctl(pidfd, FACTS_GET, (long)&facts) == 0 &&
	       facts.process == (uint32_t)sys_getpid();
}

#define RANGES 64u /* at a time */

/* The caller may be wrong about where they are. */
static long ranges_copy(struct iovec *to, const struct iovec *from, size_t count)
{
	size_t size = count * sizeof *to;
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)from, size};
	long bytes =
		sys_call(SYS_process_vm_readv, sys_getpid(), (long)&local, 1, (long)&remote, 1, 0);
	return bytes == (long)size ? 0 : bytes < 0 ? bytes : -EFAULT;
}

static long range_advise(const struct iovec *range, int advice)
{
	sys_signals signals;
	preload_enter(&signals);
	int result =
		paged_madvise(&preload.paged, (uint64_t)range->iov_base, range->iov_len, advice);
	preload_leave(&signals);
	return result;
}

/* As the kernel: bytes up to where it fails, or if there are none why. */
static long self_advise(const struct iovec *ranges, size_t count, int advice)
{
	struct iovec copies[RANGES];
	long advised = 0, error = 0;
	for (size_t i = 0; i < count && !error; i++) {
		size_t left = count - i;
		if (i % RANGES == 0)
			error = ranges_copy(copies, ranges + i, left < RANGES ? left : RANGES);
		if (!error)
			error = range_advise(&copies[i % RANGES], advice);
		if (!error)
			advised += (long)copies[i % RANGES].iov_len;
	}
	return advised ? advised : error;
}

EXPORT ssize_t process_madvise(int pidfd, const struct iovec *ranges, size_t count, int advice,
			       unsigned flags)
{
	long result;
	if (preload_paging() && count <= IOV_MAX && flags == 0 && process_self(pidfd))
		result = self_advise(ranges, count, advice);
	else
		result = sys_call(SYS_process_madvise, pidfd, (long)ranges, (long)count, advice,
				  (long)flags, 0);
	return preload_result(result);
}

EXPORT int prctl(int option, ...)
{
	long a[4];
	va_list more;
	va_start(more, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(more, long);
	va_end(more);
	if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_STRICT) {
		filter_forget();
		__atomic_store_n(&preload.file_count, 0, __ATOMIC_RELEASE);
	}
	return (int)preload_result(sys_call(SYS_prctl, option, a[0], a[1], a[2], a[3], 0));
}
