/* SPDX-License-Identifier: MIT */
/* Memory beside the data. */
#include "side.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not by mmap(): a preloaded library would make it memory of the pager. */
void *side_alloc(size_t bytes)
{
	long result = syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return result == -1 ? NULL : (void *)result;
}

void side_free(void *memory, size_t bytes)
{
	if (memory)
		syscall(SYS_munmap, memory, bytes);
}
