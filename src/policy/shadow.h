/* SPDX-License-Identifier: MIT */
/*
 * Shadows: policies that are only simulated.
 *
 * A shadow runs a policy as the simulator does, with frames that hold nothing. Which page lies in
 * a frame is the owner's affair: it knows pages by numbers of its own, and keeps for each number
 * the shadow's frame. All memory is reserved by shadow_init.
 */
#ifndef PAGERD_POLICY_SHADOW_H
#define PAGERD_POLICY_SHADOW_H

#include <stdbool.h>

#include "pagerd/policy.h"

#define SHADOW_NONE UINT32_MAX

struct shadow {
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	void *frame_bytes;
	uint32_t *page_of; /* of a frame in use: the page's number; else the next free frame */
	uint32_t frames;   /* that there are memory for */
	uint32_t capacity; /* that may be in use */
	uint32_t used;
	uint32_t fresh; /* frames that were in use at least once end here */
	uint32_t free;	/* those not in use below, or SHADOW_NONE */
};

/* env: of the policy that the shadow is for, with the candidate's parameters; frames of its own,
 * at most so many, at first capacity. 0, or what create returns, with nothing to finish. */
int shadow_init(struct shadow *shadow, const struct pagerd_policy_ops *ops,
		const struct pagerd_policy_env *env, uint32_t frames, uint32_t capacity);
void shadow_finish(struct shadow *shadow);

/* A page that is in no frame is referenced: the frame that it comes into. If another page leaves
 * for it, its number goes to *out, else SHADOW_NONE. */
uint32_t shadow_miss(struct shadow *shadow, pagerd_page_t page, uint32_t number, uint32_t *out);
/* A page that is in a frame is. */
static inline void shadow_hit(struct shadow *shadow, uint32_t frame)
{
	shadow->ops->referenced(shadow->policy, frame);
}
/* The page in the frame is gone. */
void shadow_forget(struct shadow *shadow, uint32_t frame);
/* Change the capacity. Beyond it a victim leaves by each shadow_shrink, which returns the number
 * of its page, until that returns SHADOW_NONE. */
void shadow_resize(struct shadow *shadow, uint32_t capacity);
uint32_t shadow_shrink(struct shadow *shadow);
/* Bytes in use. */
uint64_t shadow_bytes(const struct shadow *shadow);

#endif
