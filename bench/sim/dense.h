/* SPDX-License-Identifier: MIT */
/* Page numbers 0, 1, 2, ... for whatever identities a trace has, in the order of their first
 * references. */
#ifndef PAGERSIM_DENSE_H
#define PAGERSIM_DENSE_H

#include <stdint.h>

#define DENSE_MAX UINT32_C(0x3fffffff) /* numbers are below it */

struct dense_slot {
	uint64_t id;
	uint32_t page; /* plus one; 0: empty */
};

struct dense {
	struct dense_slot *slots;
	uint32_t pages;
	uint64_t secret;
	unsigned shift; /* 64 less the bits of a slot's number */
};

/* 0 or -ENOMEM. */
int dense_init(struct dense *dense);
void dense_finish(struct dense *dense);
/* See to it that count identities more fit. 0, -ENOMEM, or -E2BIG: more than DENSE_MAX. */
int dense_reserve(struct dense *dense, uint32_t count);
/* Fetch what dense_page(id) is going to look at. */
void dense_prefetch(const struct dense *dense, uint64_t id);
/* The number of id, new or known; there must be room. */
uint32_t dense_page(struct dense *dense, uint64_t id);

#endif
