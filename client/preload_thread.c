/* SPDX-License-Identifier: MIT */
/*
 * Threads on stacks of the program's own, which become the kernel's: a fork freezes paged memory,
 * that of the thread that calls it included, and when a thread has ended the kernel clears a word
 * of its stack for those who wait for that, which it cannot do in memory that is frozen.
 */
#include <pthread.h>

#include "preload.h"

/* The program's other memory may be in the stack's first and last page, and other threads write
 * to it: they stay as they are, and the thread, which begins with that word at the top, does
 * without the last. Returns the attributes to begin it with, which may be *trimmed. */
static const pthread_attr_t *stack_surrender(const pthread_attr_t *attributes,
					     pthread_attr_t *trimmed)
{
	void *lowest;
	size_t told, bytes;
	pthread_attr_getstack(attributes, &lowest, &told);
	pthread_attr_getstacksize(attributes, &bytes); /* also if none was told */
	uint64_t top = (uint64_t)lowest + told, bottom = top - bytes;
	uint64_t start = page_round_up(bottom), end = top & ~(PAGE_BYTES - 1);
	if (start >= end)
		return attributes; /* the C library is to make one */
	sys_signals signals;
	preload_enter(&signals);
	bool paged = regions_overlap(&preload.paged.regions, start, top);
	/* Where that fails it stays paged. */
	if (paged)
		paged_surrender(&preload.paged, start, end - start);
	preload_leave(&signals);
	if (!paged || top == end)
		return attributes;
	*trimmed = *attributes;
	if (pthread_attr_setstack(trimmed, (void *)bottom, end - bottom) != 0)
		return attributes; /* too little is left */
	return trimmed;
}

typedef int create_call(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
			void *argument);

PRELOAD_NEXT(pthread_create);

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*start)(void *), void *argument)
{
	create_call *call = (create_call *)NEXT(pthread_create);
	pthread_attr_t trimmed;
	if (attributes && preload_paging())
		attributes = stack_surrender(attributes, &trimmed);
	return call(thread, attributes, start, argument);
}
