/* SPDX-License-Identifier: MIT */
/* Threads beside the main one, which alone has signals. */
#ifndef PAGERD_THREAD_H
#define PAGERD_THREAD_H

#include <pthread.h>
#include <signal.h>

/* As pthread_create(3), with all signals blocked in the new thread. 0 or -errno. Any thread. */
static inline int thread_create(pthread_t *thread, const pthread_attr_t *attributes,
				void *(*run)(void *), void *argument)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(thread, attributes, run, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}

#endif
