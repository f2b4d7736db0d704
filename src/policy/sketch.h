/* SPDX-License-Identifier: MIT */
/*
 * How often pages were used lately, in a few bits a page.
 *
 * Source: G. Cormode, S. Muthukrishnan, "An improved data stream summary: the count-min sketch and
 * its applications", J. Algorithms 55(1), 2005, with counters of 4 bits that are all halved after
 * a number of uses (G. Einziger, R. Friedman, B. Manes, "TinyLFU: a highly efficient cache
 * admission policy", ACM TOS 13(4), 2017). Four rows; each 64-bit word has four counters of each.
 */
#ifndef PAGERD_POLICY_SKETCH_H
#define PAGERD_POLICY_SKETCH_H

#include "pagerd/policy.h"

struct sketch {
	uint64_t *words;
	uint64_t limit;	 /* words that are reserved */
	uint64_t mask;	 /* of those in use, a power of two, less 1 */
	uint64_t sample; /* uses between halvings */
	uint64_t uses;	 /* since the last, those of before counted half */
};

/* Room for pages. 0 or -ENOMEM. */
int sketch_init(struct sketch *sketch, uint32_t pages);
void sketch_finish(struct sketch *sketch);
/* Be one of pages pages, with sample uses between halvings; what it knew is lost if that makes it
 * another size. */
void sketch_resize(struct sketch *sketch, uint32_t pages, uint64_t sample);

void sketch_use(struct sketch *sketch, pagerd_page_t page);
/* 0 to 15. */
unsigned sketch_uses(const struct sketch *sketch, pagerd_page_t page);

uint64_t sketch_bytes(const struct sketch *sketch);

#endif
