/* SPDX-License-Identifier: MIT */
/* System calls that return -errno and leave errno alone. */
#include "sys.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "offsets and addresses are passed as one long");

long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	int saved = errno;
	long result = syscall(number, a, b, c, d, e, f);
	if (result == -1) {
		result = -errno;
		errno = saved;
	}
	return result;
}

long sys_mmap(uint64_t address, uint64_t length, int protection, int flags, int fd, uint64_t offset)
{
	return sys_call(SYS_mmap, (long)address, (long)length, protection, flags, fd, (long)offset);
}

int sys_munmap(uint64_t address, uint64_t length)
{
	return (int)sys_call(SYS_munmap, (long)address, (long)length, 0, 0, 0, 0);
}

int sys_mprotect(uint64_t address, uint64_t length, int protection)
{
	return (int)sys_call(SYS_mprotect, (long)address, (long)length, protection, 0, 0, 0);
}

int sys_madvise(uint64_t address, uint64_t length, int advice)
{
	return (int)sys_call(SYS_madvise, (long)address, (long)length, advice, 0, 0, 0);
}

int sys_msync(uint64_t address, uint64_t length, int flags)
{
	return (int)sys_call(SYS_msync, (long)address, (long)length, flags, 0, 0, 0);
}

long sys_mremap(uint64_t address, uint64_t length, uint64_t new_length, int flags,
		uint64_t new_address)
{
	return sys_call(SYS_mremap, (long)address, (long)length, (long)new_length, flags,
			(long)new_address, 0);
}

int sys_remap_file_pages(uint64_t address, uint64_t length, int protection, uint64_t page,
			 int flags)
{
	return (int)sys_call(SYS_remap_file_pages, (long)address, (long)length, protection,
			     (long)page, flags, 0);
}

int sys_mlock(uint64_t address, uint64_t length, unsigned flags)
{
	long number = flags ? SYS_mlock2 : SYS_mlock;
	return (int)sys_call(number, (long)address, (long)length, (long)flags, 0, 0, 0);
}

int sys_munlock(uint64_t address, uint64_t length)
{
	return (int)sys_call(SYS_munlock, (long)address, (long)length, 0, 0, 0, 0);
}

int sys_mlockall(int flags)
{
	return (int)sys_call(SYS_mlockall, flags, 0, 0, 0, 0, 0);
}

int sys_munlockall(void)
{
	return (int)sys_call(SYS_munlockall, 0, 0, 0, 0, 0, 0);
}

long sys_write(int fd, const void *data, size_t bytes)
{
	return sys_call(SYS_write, fd, (long)data, (long)bytes, 0, 0, 0);
}

int sys_close(int fd)
{
	return (int)sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

int sys_fcntl(int fd, int command, long argument)
{
	return (int)sys_call(SYS_fcntl, fd, command, argument, 0, 0, 0);
}

int sys_ioctl(int fd, unsigned long request, long argument)
{
	return (int)sys_call(SYS_ioctl, fd, (long)request, argument, 0, 0, 0);
}

int sys_fstat(int fd, struct stat *status)
{
	return (int)sys_call(SYS_fstat, fd, (long)status, 0, 0, 0, 0);
}

int sys_fstatfs(int fd, struct statfs *status)
{
	return (int)sys_call(SYS_fstatfs, fd, (long)status, 0, 0, 0, 0);
}

int sys_dup3(int fd, int new_fd, int flags)
{
	return (int)sys_call(SYS_dup3, fd, new_fd, flags, 0, 0, 0);
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)sys_call(SYS_close_range, first, last, flags, 0, 0, 0);
}

uint64_t sys_descriptor_limit(void)
{
	struct rlimit limit = {.rlim_cur = 0};
	sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0);
	return limit.rlim_cur;
}

int sys_socket(int domain, int type)
{
	return (int)sys_call(SYS_socket, domain, type, 0, 0, 0, 0);
}

int sys_connect(int fd, const struct sockaddr *address, size_t bytes)
{
	return (int)sys_call(SYS_connect, fd, (long)address, (long)bytes, 0, 0, 0);
}

int sys_getsockopt(int fd, int level, int name, void *value, uint32_t *bytes)
{
	return (int)sys_call(SYS_getsockopt, fd, level, name, (long)value, (long)bytes, 0);
}

long sys_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return sys_call(SYS_sendmsg, fd, (long)message, flags, 0, 0, 0);
}

long sys_recvmsg(int fd, struct msghdr *message, int flags)
{
	return sys_call(SYS_recvmsg, fd, (long)message, flags, 0, 0, 0);
}

int sys_userfaultfd(int flags)
{
	return (int)sys_call(SYS_userfaultfd, flags, 0, 0, 0, 0, 0);
}

int sys_getpid(void)
{
	return (int)sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

void sys_thread_name(char *name)
{
	name[0] = 0;
	sys_call(SYS_prctl, PR_GET_NAME, (long)name, 0, 0, 0, 0);
}

void sys_exit(int status)
{
	for (;;)
		sys_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

void sys_block_signals(sys_signals *old)
{
	sys_signals all = ~0ull;
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)old, sizeof(all), 0, 0);
}

void sys_restore_signals(const sys_signals *old)
{
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)old, 0, sizeof(*old), 0, 0);
}

void sys_unblock_signal(int signal)
{
	sys_signals one = 1ull << (signal - 1);
	sys_call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&one, 0, sizeof(one), 0, 0);
}

void sys_futex_wait(uint32_t *word, uint32_t value)
{
	sys_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

int sys_futex_wait_until(uint32_t *word, uint32_t value, const struct timespec *end)
{
	return (int)sys_call(SYS_futex, (long)word, FUTEX_WAIT_BITSET_PRIVATE, value, (long)end, 0,
			     FUTEX_BITSET_MATCH_ANY);
}

void sys_futex_wake(uint32_t *word)
{
	sys_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

void sys_complain(const char *text)
{
	size_t left = strlen(text);
	while (left > 0) {
		long written = sys_write(STDERR_FILENO, text, left);
		if (written == -EINTR)
			continue;
		if (written <= 0)
			return;
		text += written;
		left -= (size_t)written;
	}
}
