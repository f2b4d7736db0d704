/* SPDX-License-Identifier: MIT */
/*
 * Payoff: is it worth looking which pages are used (access.h)?
 *
 * It is where pages that were used lately are used again sooner than others; where a program reads
 * at random, or each page once, all of that is work for nothing: a tenth of the time of 16 threads.
 * So some frames are followed, chosen at random, each over two windows, one after the other, in
 * which a quarter of its pool comes in. How often those are used in the second that were, or were
 * not, used in the first, gives what a pool would gain: of all evictions, the share that takes a
 * page which would have been used before as many pages have come in as the pool holds, less what it
 * is if only pages are taken that were not used. (First order: with uniform references it is 0,
 * with a small set that is always in use it is the set's share of the frames.)
 *
 * A pool that gains less than a fiftieth (the estimate and its standard deviation) is left alone
 * from then on, until what is followed tells that it would gain more than 3 percent. Small
 * pools are never left alone, nor is any where the user has chosen the source. The pager's thread
 * only.
 */
#ifndef PAGERD_PAYOFF_H
#define PAGERD_PAYOFF_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct pool;

/* Of a pool. */
struct payoff {
	uint32_t followed[2]; /* frames, by whether they were used in their first window */
	uint32_t used[2];     /* of them, in their second */
	bool idle;	      /* it does not pay: leave the pool's pages alone */
};

#define PAYOFF_SAMPLES 1024u /* as many as the hash has values */
#define PAYOFF_BATCH   256u

enum payoff_window { PAYOFF_NONE, PAYOFF_BEGIN, PAYOFF_FIRST, PAYOFF_SECOND };

/* A frame that is followed; its place in the table is a hash of its number. */
struct payoff_sample {
	uint32_t frame;
	uint32_t tick;	/* the frame's, to know it again */
	uint32_t begin; /* of the present window: the pool's tick */
	uint32_t taken; /* and frames, by all pools */
	uint16_t pool;
	uint8_t window; /* enum payoff_window */
	bool used;	/* in the present window */
	bool before;	/* in the first */
	bool asked;	/* to be looked at */
};

struct payoffs {
	bool on;
	uint32_t random;
	uint32_t evicted; /* pages, since the samples were gone over */
	uint32_t count;	  /* samples */
	uint32_t next;	  /* to be gone over */
	struct payoff_sample samples[PAYOFF_SAMPLES];
};

/* What is gained, of the pairs of windows in payoff: -1 to 1, and the estimate's standard
 * deviation. */
double payoff_gain(const struct payoff *payoff, double *deviation);
/* Are the pool's pages to be left alone? Not once it has become small. */
bool payoff_idle(const struct pager *pager, const struct pool *pool);
/* Count a frame's two windows. */
void payoff_count(struct payoff *payoff, bool before, bool after);

/* Are the samples to be gone over with the next batch; or now, whether there is another one or not?
 */
bool payoff_due(const struct pager *pager);
bool payoff_overdue(const struct pager *pager);
/* Go over them: those whose window has ended, and new ones, into frames, at most PAYOFF_BATCH.
 * Returns how many. They are to be looked at, and zapped. */
uint32_t payoff_collect(struct pager *pager, uint32_t *frames);
/* The frame was found used. */
void payoff_found(struct pager *pager, uint32_t frame);
/* The frame was looked at, and what was found is told: the end of a window, if it was collected. */
void payoff_looked(struct pager *pager, uint32_t frame);

#endif
