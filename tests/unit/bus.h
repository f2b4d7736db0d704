/* SPDX-License-Identifier: MIT */
/* Accesses that may get SIGBUS. */
#ifndef PAGERD_TESTS_BUS_H
#define PAGERD_TESTS_BUS_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "version.h"

static _Thread_local sigjmp_buf bus_jump;

static inline void bus_back(int number)
{
	siglongjmp(bus_jump, number);
}

/* From now on those below come back from it, in any thread. No others may get it. */
static inline void bus_catch(void)
{
	signal(SIGBUS, bus_back);
}

/* Whether the word can be read; then it is in *word, if that is not NULL. */
static inline bool bus_read(const void *at, uint64_t *word)
{
	if (sigsetjmp(bus_jump, 1))
		return false;
	uint64_t read = *(const volatile uint64_t *)at;
	if (word)
		*word = read;
	return true;
}

/* Write pages [page, end), up to the first that cannot be written; returns that one, or end. */
static inline uint64_t bus_write(uint64_t *memory, uint64_t page, uint64_t end, uint64_t version)
{
	volatile uint64_t next = page;
	if (!sigsetjmp(bus_jump, 1))
		for (; next < end; next++)
			page_write(memory, next, version);
	return next;
}

#endif
