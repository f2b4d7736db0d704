/* SPDX-License-Identifier: MIT */
/*
 * The model of harvested access information: what the daemon learns of uses between faults, by the
 * rules of its src/access.c, whose constants these are.
 *
 * A frame is mapped when its page was used since its table entries were last taken away, and probed
 * when they were, after it had come in: a page that has come in is mapped by its own fault, and
 * that is no use. Pages are probed in batches, when evictions have asked for enough: young ones
 * first, then those that a hand comes to, so many for each eviction. What is mapped and probed was
 * used: the policy is told, once, however often it was. Victims that were used are kept, up to a
 * bound. In the daemon programs go on while a batch is under way; here it takes no time.
 */
#ifndef PAGERSIM_SWEEP_H
#define PAGERSIM_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "pagerd/policy.h"

/* What the simulator knows of a frame, in one word. */
#define FRAME_DIRTY  UINT32_C(0x80000000)
#define FRAME_MAPPED UINT32_C(0x40000000)
#define FRAME_PAGE   UINT32_C(0x3fffffff)

struct sweep {
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	uint32_t *pages; /* FRAME_*, of each frame */
	uint32_t frames, batch, hand;
	uint32_t debt, young_debt; /* frames to look at, that evictions have asked for */
	uint32_t tick;		   /* pages that have come in */
	uint32_t *ticks; /* of each frame, when its page did; NULL: nothing is harvested */
	bool *probed;
	uint32_t *aside; /* victims that stay, while others are picked */
	bool *given;	 /* which frames are among them */
	bool twice;	 /* the policy gave one of them again */
	struct sweep_young {
		uint32_t frame, tick;
	} * young; /* a ring of pages to be probed */
	uint32_t young_head, young_tail;
	uint64_t looked, used, kept;
};

/* Memory for a sweep of frames, all else of which is set. Whether there was enough. */
bool sweep_init(struct sweep *sweep);
void sweep_finish(struct sweep *sweep);
/* A page has come in. */
void sweep_page_in(struct sweep *sweep, uint32_t frame);
/* The page of that frame was evicted: look at a batch, if there is one to be looked at. */
void sweep_page_out(struct sweep *sweep, uint32_t frame);
/* Pick a victim that was not used, as far as the bound allows. How many the policy gave: 1, unless
 * it breaks its contract. */
uint32_t sweep_victim(struct sweep *sweep, uint32_t *frame);

#endif
