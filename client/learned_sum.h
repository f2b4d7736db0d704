/* SPDX-License-Identifier: MIT */
/* What those who read and who write files of learned sets agree on. */
#ifndef PAGERD_CLIENT_LEARNED_SUM_H
#define PAGERD_CLIENT_LEARNED_SUM_H

#include <stddef.h>
#include <stdint.h>

#define LEARNED_WORD	  "pagerd-learned "
#define LEARNED_HEADER	  LEARNED_WORD "1"
#define LEARNED_SUM_START 0xcbf29ce484222325ull

/* FNV-1a: sum of what comes before -> sum with these bytes. */
static inline uint64_t learned_sum(uint64_t sum, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3ull;
	return sum;
}

#endif
