/* SPDX-License-Identifier: MIT */
/*
 * Whether this is still the process that something belongs to, or a child that has inherited it.
 *
 * A child has another number than its parent, but not always in another PID namespace: there both
 * may be 1. So what fork copies has a mark that the kernel does not copy. A child of vfork, which
 * has its parent's memory and mark, is told by its number alone.
 *
 * Any thread may call these, and signal handlers.
 */
#ifndef PAGERD_CLIENT_SELF_H
#define PAGERD_CLIENT_SELF_H

#include <stdbool.h>
#include <stdint.h>

/* Zeros: no process. */
struct self {
	int pid;
	uint32_t mark;
};

struct self self_now(void);
bool self_is(const struct self *self);

#endif
