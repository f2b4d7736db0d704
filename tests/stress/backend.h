/* SPDX-License-Identifier: MIT */
/*
 * Where the memory comes from: the plain system calls (paged when the program runs under
 * `pagerctl run`), or libpagerd. All functions return 0 or -1 with errno set, as mmap(2) does.
 */
#ifndef STRESS_BACKEND_H
#define STRESS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

/* Use libpagerd in this process. */
int backend_connect(void);
void backend_disconnect(void);

void *backend_map(size_t bytes, int flags, int fd);
int backend_unmap(void *memory, size_t bytes);
int backend_sync(void *memory, size_t bytes);
int backend_discard(void *memory, size_t bytes);

#endif
