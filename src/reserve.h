/* SPDX-License-Identifier: MIT */
/* Memory for tables that are large and mostly never used. */
#ifndef PAGERD_RESERVE_H
#define PAGERD_RESERVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* Zero bytes of which each page is taken when it is first written; NULL if there is no address
 * space. */
static inline void *memory_reserve(uint64_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

/* Give back what was reserved; NULL: nothing was. */
static inline void memory_release(void *memory, uint64_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

#endif
