/* SPDX-License-Identifier: MIT */
/*
 * Lists of the library's own descriptors, -1 where there is none, which are looked at by whoever
 * closes or renumbers descriptors, in any thread and in signal handlers.
 */
#ifndef PAGERD_CLIENT_DESCRIPTOR_H
#define PAGERD_CLIENT_DESCRIPTOR_H

#include <stdint.h>

/* The lowest of the list in [first, last]; -1 if none. */
static inline int descriptor_lowest(const int *list, uint32_t count, unsigned first, unsigned last)
{
	int lowest = -1;
	for (uint32_t i = 0; i < count; i++) {
		int fd = __atomic_load_n(&list[i], __ATOMIC_RELAXED);
		if (fd < 0 || (unsigned)fd < first || (unsigned)fd > last)
			continue;
		if (lowest < 0 || fd < lowest)
			lowest = fd;
	}
	return lowest;
}

#endif
