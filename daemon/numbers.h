/* SPDX-License-Identifier: MIT */
/* Numbers of clients: each is given to one at a time, the lowest first. Main thread. */
#ifndef PAGERD_NUMBERS_H
#define PAGERD_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbers {
	uint64_t *taken; /* bits */
	size_t words;
};

/* A number from 1 on. False: not enough memory. */
bool number_take(struct numbers *numbers, uint32_t *number);
/* It is free again; 0 is allowed. */
void number_give(struct numbers *numbers, uint32_t number);
void numbers_finish(struct numbers *numbers);

#endif
