/* SPDX-License-Identifier: MIT */
/*
 * What stands in a page. Each thread has a line of 64 bytes in every page, whose first word says
 * which page and line it is and how often the thread has written there.
 */
#ifndef PAGERBENCH_PAGE_STAMP_H
#define PAGERBENCH_PAGE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "workload/workload.h"

#define PAGE_STAMP_LINES 64u
#define PAGE_STAMP_WORDS 8u /* of a line */
_Static_assert(WORKLOAD_THREADS_MAX < PAGE_STAMP_LINES, "a line for each thread, one for nobody");

/* version 0: never written; anonymous memory then holds zeros. */
static inline uint64_t page_stamp(uint32_t page, uint32_t line, uint8_t version, bool anonymous)
{
	if (anonymous && !version)
		return 0;
	return ((uint64_t)page << 16 | line << 8 | version) * 0x9e3779b97f4a7c15ull + 1;
}

/* The version after this one. */
static inline uint8_t page_stamp_next(uint8_t version)
{
	return version == UINT8_MAX ? 1 : (uint8_t)(version + 1);
}

#endif
