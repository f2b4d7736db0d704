/* SPDX-License-Identifier: MIT */
/* The least that a pager in another process can do. */
#ifndef LOAD_MECHANISM_H
#define LOAD_MECHANISM_H

#include <stddef.h>

/* From now on missing pages of this anonymous memory are answered by another process, with zeros,
 * one at a time, without books. It ends with the calling process. */
void mechanism_start(void *memory, size_t bytes);

#endif
