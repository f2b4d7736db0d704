/* SPDX-License-Identifier: MIT */
/*
 * A lock on a futex: usable before the C library is ready, and in a child of fork.
 *
 * The value: 0 free, 1 held, 2 held and somebody may be waiting.
 */
#ifndef PAGERD_CLIENT_LOCK_H
#define PAGERD_CLIENT_LOCK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

static inline void lock_take(uint32_t *lock)
{
	uint32_t free = 0;
	if (__atomic_compare_exchange_n(lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
		sys_futex_wait(lock, 2);
}

/* The same, but not beyond that time of CLOCK_MONOTONIC: false if it was not to be had. */
static inline bool lock_take_until(uint32_t *lock, const struct timespec *end)
{
	while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
		if (sys_futex_wait_until(lock, 2, end) == -ETIMEDOUT)
			return false;
	return true;
}

static inline void lock_release(uint32_t *lock)
{
	if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
		sys_futex_wake(lock);
}

#endif
