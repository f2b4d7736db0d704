/* SPDX-License-Identifier: MIT */
/* The environment that a command runs in: the libraries preloaded into it, and their settings. */
#ifndef PAGERD_CLIENT_HEAP_H
#define PAGERD_CLIENT_HEAP_H

#include <stdbool.h>

/* Set LD_PRELOAD to the preload library, and, if heap is set, to an allocator whose memory can be
 * paged, unless program brings its own. Says what cannot work. 0, or an exit status. */
int heap_prepare(const char *program, bool heap);

#endif
