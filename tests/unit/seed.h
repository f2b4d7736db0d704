/* SPDX-License-Identifier: MIT */
/* What random tests begin with. */
#ifndef PAGERD_TESTS_SEED_H
#define PAGERD_TESTS_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* That of PAGERD_SEED, or another one each time; prints it. */
static inline uint64_t seed_get(void)
{
	const char *given = getenv("PAGERD_SEED");
	uint64_t number = (uint64_t)time(NULL) + (uint64_t)getpid();
	if (given)
		number = strtoull(given, NULL, 0);
	printf("PAGERD_SEED=%llu\n", (unsigned long long)number);
	fflush(stdout); /* or each process that is forked prints it as well */
	return number;
}

#endif
