/* SPDX-License-Identifier: MIT */
/*
 * What sets the handler of SIGSEGV, which is ours from one fork handler to its counterpart (see
 * preload_guard.c): a thread that would change it meanwhile waits for that, so that it neither gets
 * ours nor loses its own.
 *
 * A fork holds the lock all the while. No handler of the program's interrupts who holds it, so
 * these calls may be made in handlers, as before.
 */
#include <errno.h>
#include <signal.h>

#include "preload.h"

/* The C library's own, by names that nobody uses. */
int __sigaction(int number, const struct sigaction *action, struct sigaction *old);
sighandler_t bsd_signal(int number, sighandler_t handler);

/* The lock, held if there may be a fork to wait for. */
struct handler_lock {
	bool held;
	sys_signals signals;
};

static struct handler_lock handler_enter(int number)
{
	struct handler_lock lock = {.held = false};
	uint32_t state = __atomic_load_n(&preload.state, __ATOMIC_ACQUIRE);
	if (number != SIGSEGV || (state != PRELOAD_IDLE && state != PRELOAD_ON) ||
	    !self_is(&preload.self))
		return lock;
	preload_enter(&lock.signals);
	lock.held = true;
	return lock;
}

static void handler_leave(const struct handler_lock *lock)
{
	if (lock->held)
		preload_leave(&lock->signals);
}

EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	struct handler_lock lock = handler_enter(number);
	int result = __sigaction(number, action, old);
	handler_leave(&lock);
	return result;
}

EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	struct handler_lock lock = handler_enter(number);
	sighandler_t old = bsd_signal(number, handler);
	handler_leave(&lock);
	return old;
}

EXPORT sighandler_t ssignal(int number, sighandler_t handler) __attribute__((alias("signal")));

/* What signal is to programs that ask for System V's. */
EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler)
{
	struct handler_lock lock = handler_enter(number);
	sighandler_t old = sysv_signal(number, handler);
	handler_leave(&lock);
	return old;
}

PRELOAD_NEXT(siginterrupt);

EXPORT int siginterrupt(int number, int interrupt)
{
	typedef int call(int number, int interrupt);
	call *next = (call *)NEXT(siginterrupt);
	struct handler_lock lock = handler_enter(number);
	int result = next(number, interrupt);
	handler_leave(&lock);
	return result;
}

EXPORT int sigignore(int number)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	return sigaction(number, &ignore, NULL);
}

/* As the C library's, which sets the thread's mask, too, and so not with the lock held. */
EXPORT sighandler_t sigset(int number, sighandler_t handler)
{
	const struct sigaction action = {.sa_handler = handler};
	bool hold = handler == SIG_HOLD;
	struct sigaction old;
	sigset_t one, mask;
	sigemptyset(&one);
	if (sigaddset(&one, number) < 0 || sigaction(number, hold ? NULL : &action, &old) < 0 ||
	    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &one, &mask) < 0)
		return SIG_ERR;
	return sigismember(&mask, number) ? SIG_HOLD : old.sa_handler;
}
