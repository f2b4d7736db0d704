/* SPDX-License-Identifier: MIT */
/* Sizes as people type them: 64M. */
#ifndef PAGERD_CLIENT_SIZE_H
#define PAGERD_CLIENT_SIZE_H

#include <stdint.h>

/* A number with K, M, G or T behind it (powers of 1024; KiB and KB are K), or nothing. 0; -EINVAL
 * if text is not that; -ERANGE if it does not fit. */
int size_parse(const char *text, uint64_t *bytes);

#endif
