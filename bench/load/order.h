/* SPDX-License-Identifier: MIT */
/* In which order pages are accessed. The same in each run. */
#ifndef LOAD_ORDER_H
#define LOAD_ORDER_H

#include <stdint.h>

enum order_kind {
	ORDER_FORWARD,
	ORDER_BACKWARD,
	ORDER_STRIDE,  /* each step-th page */
	ORDER_STREAMS, /* forward from step places, in turn */
	ORDER_BLOCKS,  /* blocks of step pages as with ORDER_ONCE, each of them forward */
	ORDER_ONCE,    /* at random, no page a second time before all have been accessed */
	ORDER_RANDOM,  /* at random */
};

/* All but ORDER_RANDOM deal the same pages to any number of threads, in turn; with ORDER_RANDOM
 * each thread has pages of its own. */
struct order {
	enum order_kind kind;
	uint64_t step;
	uint64_t first; /* the first page */
	uint64_t pages; /* so many from there */
	unsigned threads;
	uint32_t *shuffled; /* for ORDER_ONCE and ORDER_BLOCKS */
};

/* Store kind and step of forward, backward, stride:N, streams:N, blocks:N, once or random. -EINVAL
 * if text is none of them. */
int order_parse(struct order *order, const char *text);
/* To be called when all else has been set; 0 or -ENOMEM. */
int order_init(struct order *order);
void order_finish(struct order *order);
/* How many accesses it takes until all pages have been accessed that will be. */
uint64_t order_length(const struct order *order);
/* The page of access i of a thread. */
uint64_t order_page(const struct order *order, unsigned thread, uint64_t i);

#endif
