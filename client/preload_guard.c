/* SPDX-License-Identifier: MIT */
/*
 * The guard over the first moments of a forked child.
 *
 * In a process with threads, the C library's fork resets locks in the child before any handler
 * runs: of open FILEs, of the name service. Those live on the heap, that is, in paged memory,
 * which the child does not have yet: it faults. The guard is a handler for that fault, which does
 * what the child's fork handler would have done a moment later.
 */
#include <sys/single_threaded.h>
#include <sys/syscall.h>

#include "preload.h"

static struct sigaction guard_old; /* the program's own */

/* In the parent another thread may fault for reasons of its own, or be sent the signal. It comes
 * back here until the guard is gone, and then where it belongs. */
static void guard_pass(const siginfo_t *info)
{
	if (info->si_code > 0)
		return; /* the instruction is tried again, and faults again */
	long thread = sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
	sys_call(SYS_tgkill, sys_getpid(), thread, SIGSEGV, 0, 0, 0);
}

static void guard_fault(int signal, siginfo_t *info, void *context)
{
	if (sys_getpid() == preload.pid) {
		guard_pass(info);
		return;
	}
	bool inherited = regions_lookup(&preload.paged.regions, (uint64_t)info->si_addr) != NULL;
	guard_disarm();
	if (inherited)
		preload_fork_adopt();
}

void guard_arm(void)
{
	struct sigaction action = {
		.sa_sigaction = guard_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	if (__libc_single_threaded || sigaction(SIGSEGV, &action, &guard_old) != 0)
		return;
	preload.guarded = true;
	/* Blocked with all others: a fault would then end the process. */
	sys_unblock_signal(SIGSEGV);
}

void guard_disarm(void)
{
	if (!preload.guarded)
		return;
	preload.guarded = false;
	sigaction(SIGSEGV, &guard_old, NULL);
}
