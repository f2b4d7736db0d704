/* SPDX-License-Identifier: MIT */
/* How much long random tests do. */
#ifndef PAGERD_TESTS_EFFORT_H
#define PAGERD_TESTS_EFFORT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* So much of count as is worth its time: half of it, and less with the builds that tests/run tests
 * besides (VARIANT), which do the same once more for what the other compiler or a sanitizer finds.
 * EFFORT in the environment, for longer runs: times that. */
static inline uint32_t effort(uint32_t count)
{
	const char *variant = getenv("VARIANT"), *times = getenv("EFFORT");
	uint32_t part = 2;
	if (variant && !strcmp(variant, "clang"))
		part = 8;
	else if (variant && !strcmp(variant, "sanitize"))
		part = 4;
	return (count * (times ? (uint32_t)atoi(times) : 1) + part - 1) / part;
}

#endif
