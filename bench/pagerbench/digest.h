/* SPDX-License-Identifier: MIT */
/* Numbers that stand for bytes: FNV-1a. */
#ifndef PAGERBENCH_DIGEST_H
#define PAGERBENCH_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BEGIN 0xcbf29ce484222325ull

/* Goes on from digest. */
uint64_t digest_add(uint64_t digest, const void *bytes, size_t count);
/* Of this program and of the pagerd that it starts: results of others are not theirs. */
uint64_t digest_programs(void);
/* Goes on with what is in a file. */
uint64_t digest_add_file(uint64_t digest, const char *path);

#endif
