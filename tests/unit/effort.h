/* SPDX-License-Identifier: MIT */
/* How much long random tests do. */
#ifndef PAGERD_TESTS_EFFORT_H
#define PAGERD_TESTS_EFFORT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* So much of count as is worth its time: all of it, but less with the builds that tests/run tests
 * besides (VARIANT), which do the same once more for what the other compiler or a sanitizer
 * finds. */
static inline uint32_t effort(uint32_t count)
{
	const char *variant = getenv("VARIANT");
	if (!variant)
		return count;
	if (!strcmp(variant, "clang"))
		return (count + 3) / 4;
	return strcmp(variant, "sanitize") ? count : (count + 1) / 2;
}

#endif
