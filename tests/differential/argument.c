/* SPDX-License-Identifier: MIT */
/* Calls whose arguments lie in the areas: in paged memory, or where nothing is. */
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "worker.h"

static long call_uname(struct worker *w, struct iovec *at)
{
	if (at->iov_len < sizeof(struct utsname))
		return 0;
	return uname(at->iov_base);
}

static long call_readlink(struct worker *w, struct iovec *at)
{
	return readlink("/proc/self/exe", at->iov_base, at->iov_len);
}

static long call_path(struct worker *w, struct iovec *at)
{
	if (at->iov_len < PATH_MAX)
		return 0; /* what follows is not known */
	return access(at->iov_base, F_OK);
}

static long call_signals(struct worker *w, struct iovec *at)
{
	if (at->iov_len < 8)
		return 0;
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, at->iov_base, 8);
}

/* Not those that processes share: in memory that is only read the kernel knows none of private
 * memory, to which the pager's does not belong. */
static long call_futex(struct worker *w, struct iovec *at)
{
	static const struct timespec soon = {.tv_nsec = 1};
	uint32_t *word = (uint32_t *)((uint64_t)at->iov_base & ~3ull);

	if (chance(w, 50))
		return syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0x5a17b3d9, &soon, NULL, 0);
}

static long call_message(struct worker *w, struct iovec *at)
{
	struct iovec to = pick_buffer(w);
	struct msghdr out = {.msg_iov = at, .msg_iovlen = 1};
	struct msghdr in = {.msg_iov = &to, .msg_iovlen = 1};
	int ends[2];
	long result;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	if (at->iov_len > 8 * PAGE)
		at->iov_len = 8 * PAGE;
	report_result(&w->report, sendmsg(ends[0], &out, 0));
	report(&w->report, " to ");
	report_address(&w->report, &w->space, to.iov_base);
	report(&w->report, " %zu ", to.iov_len);
	result = recvmsg(ends[1], &in, 0);
	close(ends[0]);
	close(ends[1]);
	*at = to;
	return result;
}

static long call_other_reads(struct worker *w, struct iovec *at)
{
	static char copy[64 * PAGE];
	struct iovec local = {copy, at->iov_len};

	return process_vm_readv(getpid(), &local, 1, at, 1, 0);
}

static long call_other_writes(struct worker *w, struct iovec *at)
{
	static char copy[64 * PAGE] = "written by another";
	struct iovec local = {copy, at->iov_len};

	if (!w->program->known[KNOWN_PINNED])
		return 0;
	return process_vm_writev(getpid(), &local, 1, at, 1, 0);
}

static const struct {
	const char *name;
	long (*call)(struct worker *w, struct iovec *at);
} calls[] = {
	{"uname", call_uname},
	{"readlink", call_readlink},
	{"access", call_path},
	{"sigprocmask", call_signals},
	{"futex", call_futex},
	{"message", call_message},
	{"process_vm_readv", call_other_reads},
	{"process_vm_writev", call_other_writes},
};

void step_argument(struct worker *w)
{
	struct iovec at = pick_buffer(w);
	uint32_t which = pick(w, sizeof(calls) / sizeof(calls[0]));

	report(&w->report, "%s(", calls[which].name);
	report_address(&w->report, &w->space, at.iov_base);
	report(&w->report, ", %zu) ", at.iov_len);
	report_result(&w->report, calls[which].call(w, &at));
	report_filled(w, &at, 1);
}
