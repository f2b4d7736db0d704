/* SPDX-License-Identifier: MIT */
/*
 * The model of harvested access information: what the daemon learns of uses between faults.
 *
 * Every frame has an accessed bit, as the page tables have. A hand goes round the frames and looks
 * at so many for each eviction, so that the work is in proportion to evictions; what it finds used
 * it reports to the policy once, however often it was used, and clears. A victim whose bit is set
 * was used since the hand last passed: it is kept, and another one asked for, up to a bound.
 *
 * The touch that a page came in for sets no bit: whoever harvests sees the page mapped by its own
 * answer to the fault.
 */
#ifndef PAGERSIM_SWEEP_H
#define PAGERSIM_SWEEP_H

#include <stdint.h>

#include "pagerd/policy.h"

/* What the simulator knows of a frame, in one word. */
#define FRAME_DIRTY    UINT32_C(0x80000000)
#define FRAME_ACCESSED UINT32_C(0x40000000)
#define FRAME_PAGE     UINT32_C(0x3fffffff)

#define SWEEP_KEEP_MAX 32u /* in a row: then the victim goes, used or not */

struct sweep {
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	uint32_t *pages; /* FRAME_*, of each frame */
	uint32_t frames, batch, hand;
	uint64_t looked, used, kept;
};

/* Ahead of an eviction: the hand moves on by a batch. */
void sweep_advance(struct sweep *sweep);
/* Pick a victim that was not used, as far as the bound allows. How many were picked: 1 or 0. */
uint32_t sweep_victim(struct sweep *sweep, uint32_t *frame);

#endif
