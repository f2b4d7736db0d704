/* SPDX-License-Identifier: MIT */
/*
 * A sample of the pages, on which candidate policies are simulated.
 *
 * Source: C. A. Waldspurger, N. Park, A. Garthwaite, I. Ahmad, "Efficient MRC construction with
 * SHARDS", FAST 2015. A hash of the page's number decides whether it is in the sample, so that
 * either all references to a page are, or none. With a share R of the pages a cache of R times the
 * frames has about the miss ratio of the whole cache, whichever the policy. R is chosen so that
 * the sample's cache has about as many frames as is asked for, or all where there are not more.
 *
 * All memory is reserved by sample_init.
 */
#ifndef PAGERD_POLICY_SAMPLE_H
#define PAGERD_POLICY_SAMPLE_H

#include <stdbool.h>

#include "policy/candidate.h"
#include "policy/ghost.h"
#include "policy/shadow.h"

struct sample {
	uint64_t threshold;		     /* pages whose hash is below are in */
	uint32_t wanted;		     /* frames of each shadow, ... */
	uint32_t most;			     /* ... and how many they may become before R changes */
	uint32_t capacity;		     /* what they are */
	unsigned count;			     /* of shadows */
	struct ghosts pages;		     /* those in a shadow's frame; value: in how many */
	uint32_t (*frames)[CANDIDATES_MOST]; /* of each such page in each shadow, + 1; 0: none */
	struct shadow shadows[CANDIDATES_MOST];
};

/* wanted: frames of each shadow. 0, or -errno with nothing to finish. */
int sample_init(struct sample *sample, const struct candidates *candidates,
		const struct pagerd_policy_env *env, uint32_t wanted);
void sample_finish(struct sample *sample);

/* Is the page in the sample? */
static inline bool sample_takes(const struct sample *sample, pagerd_page_t page)
{
	uint64_t hash = page * 0xd6e8feb86659fd93;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
	return hash >> 32 < sample->threshold;
}

/* For pages that it takes only. */

/* The page is referenced: a bit for each shadow that misses it. */
uint32_t sample_use(struct sample *sample, pagerd_page_t page);
/* The page is gone. */
void sample_forget(struct sample *sample, pagerd_page_t page);
/* It will not be needed soon. */
void sample_cold(struct sample *sample, pagerd_page_t page);

/* The capacity of the whole has changed. Whether the sample has, too, and begins anew. */
bool sample_resize(struct sample *sample, uint32_t capacity_pages);
/* One page in so many is in the sample. */
double sample_pages_each(const struct sample *sample);
/* Bytes in use. */
uint64_t sample_bytes(const struct sample *sample);

#endif
