/* SPDX-License-Identifier: MIT */
/* Memory beside the data: for what the load itself has to know. It is never paged by pagerd. */
#ifndef LOAD_SIDE_H
#define LOAD_SIDE_H

#include <stddef.h>

/* Zeros, or NULL. What is not used takes no memory. */
void *side_alloc(size_t bytes);
/* NULL is allowed. */
void side_free(void *memory, size_t bytes);

#endif
