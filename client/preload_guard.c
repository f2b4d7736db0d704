/* SPDX-License-Identifier: MIT */
/*
 * The guard over a fork, from the handler that prepares it to its counterparts.
 *
 * In a process with threads, the C library's fork touches locks on the heap, that is, in paged
 * memory, where no handler of ours runs any more or yet:
 *
 *  - in the parent it takes and releases the name service's lock. That memory is frozen: the
 *    thread would wait for ever for a thaw that it is to ask for itself. A timer's signal, which
 *    interrupts the wait, thaws the memory. It cannot come too early to do harm but by its period,
 *    for which a thread would have to wait for a CPU: while the kernel forks, signals are blocked.
 *  - in the child it resets that lock, and those of open FILEs, before any handler runs. The child
 *    has no paged memory yet, and faults. The handler for that does what the child's fork handler
 *    would have done a moment later.
 *
 * Both come as SIGSEGV, the one signal that a program cannot do without for other ends meanwhile.
 * Other threads that set its handler then wait (see preload_signal.c).
 */
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <time.h>

#include "paged_fork.h"
#include "preload.h"

#define THAW_NS 50000000

/* The C library's own: the wrapper waits for the end of the fork. */
int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

static struct sigaction guard_old; /* the program's own */
static int guard_timer;

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
	if (info->si_code == SI_TIMER && info->si_value.sival_ptr == &guard_timer) {
		preload_fork_thaw();
		return;
	}
	if (self_is(&preload.self)) {
		guard_pass(info);
		return;
	}
	bool inherited = regions_lookup(&preload.paged.regions, (uint64_t)info->si_addr) != NULL;
	guard_disarm();
	if (inherited)
		preload_fork_adopt();
}

static void timer_start(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGSEGV,
		.sigev_value.sival_ptr = &guard_timer,
		._sigev_un._tid = (pid_t)sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0),
	};
	struct itimerspec period = {.it_value.tv_nsec = THAW_NS};
	if (sys_call(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&guard_timer, 0, 0,
		     0) == 0)
		sys_call(SYS_timer_settime, guard_timer, 0, (long)&period, 0, 0, 0);
}

void guard_arm(void)
{
	struct sigaction action = {
		.sa_sigaction = guard_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	if (__libc_single_threaded || __sigaction(SIGSEGV, &action, &guard_old) != 0)
		return;
	preload.guarded = true;
	/* Blocked with all others: a fault would then end the process. */
	sys_unblock_signal(SIGSEGV);
	timer_start();
}

void guard_disarm(void)
{
	sys_signals ignored;
	if (!preload.guarded)
		return;
	preload.guarded = false;
	/* A signal that the timer has sent comes at the latest when this call returns. The child
	 * has no timer. */
	if (self_is(&preload.self))
		sys_call(SYS_timer_delete, guard_timer, 0, 0, 0, 0, 0);
	sys_block_signals(&ignored);
	__sigaction(SIGSEGV, &guard_old, NULL);
}
