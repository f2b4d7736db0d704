/* SPDX-License-Identifier: MIT */
/* What deep_binding loads. */
#include <stdlib.h>

__attribute__((visibility("default"))) void release(void *memory);

void release(void *memory)
{
	free(memory);
}
