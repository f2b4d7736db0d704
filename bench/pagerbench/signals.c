/* SPDX-License-Identifier: MIT */
/* Being told to end. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

static sigset_t enders(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

void signals_block(void)
{
	sigset_t set = enders();
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void signals_unblock(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

bool signals_pending(void)
{
	sigset_t pending;
	sigpending(&pending);
	return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
	       sigismember(&pending, SIGHUP);
}

/* The signal is not taken, so that it is pending for whoever asks later. */
int signals_wait(pid_t child, int *status)
{
	/* A child that ended before the wait left a SIGCHLD, or is found at once. */
	const struct timespec look = {.tv_nsec = 100000000};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		if (waitpid(child, status, WNOHANG) == child)
			return 0;
		if (signals_pending()) {
			kill(child, SIGKILL);
			waitpid(child, status, 0);
			return -EINTR;
		}
		sigtimedwait(&set, NULL, &look);
	}
}
