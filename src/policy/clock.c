/* SPDX-License-Identifier: MIT */
/*
 * clock: first in, first out, but a page that was used since the hand last came by is passed over.
 *
 * Source: F. J. Corbato, "A paging experiment with the Multics system", MIT Project MAC, 1968. One
 * bit a page: set by a use, cleared by the hand, and clear in a page that comes in, which takes
 * its place just behind the hand. The hand is the head of a list, and what it passes goes to the
 * tail. The first use of a prefetched page is the one that it was fetched for: the bit stays clear.
 * A page that is kept is one that the hand passed.
 *
 * Parameters: none.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_list.h"
#include "pagerd/policy_parameters.h"
#include "policy/policies.h"

struct clock_frame {
	struct frame_link link;
	bool used;
	bool prefetched; /* and not used since */
};

struct pagerd_policy {
	struct clock_frame *frames;
	struct frame_list list; /* head: where the hand is */
	uint32_t held;
};

static struct frame_table clock_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static int clock_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	struct pagerd_policy *clock = calloc(1, sizeof *clock);
	if (!clock)
		return -ENOMEM;
	clock->frames = env->frame_bytes;
	*policy = clock;
	return 0;
}

static void clock_destroy(struct pagerd_policy *policy)
{
	free(policy);
}

static void clock_insert(struct pagerd_policy *policy, uint32_t frame, bool prefetched)
{
	frame_list_push_tail(clock_table(policy), &policy->list, frame);
	policy->frames[frame].used = false;
	policy->frames[frame].prefetched = prefetched;
	policy->held++;
}

static void clock_keep(struct pagerd_policy *policy, uint32_t frame)
{
	clock_insert(policy, frame, false);
}

static void clock_restore(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_head(clock_table(policy), &policy->list, frame);
	policy->held++;
}

static void clock_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			  int prefetched)
{
	(void)page;
	clock_insert(policy, frame, prefetched);
}

static void clock_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct clock_frame *state = &policy->frames[frame];
	state->used = !state->prefetched;
	state->prefetched = false;
}

/* The next page that was not used; those before it go round. */
static uint32_t clock_next(struct pagerd_policy *policy)
{
	for (;;) {
		uint32_t frame = frame_list_head(&policy->list);
		if (!policy->frames[frame].used) {
			frame_list_remove(clock_table(policy), &policy->list, frame);
			return frame;
		}
		policy->frames[frame].used = false;
		frame_list_move_tail(clock_table(policy), &policy->list, frame);
	}
}

static uint32_t clock_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && !frame_list_is_empty(&policy->list))
		frames[taken++] = clock_next(policy);
	policy->held -= taken;
	return taken;
}

static void clock_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!frame_is_linked(clock_table(policy), frame), frame,
		     "a page that is evicted was isolated");
}

static void clock_forget(struct pagerd_policy *policy, uint32_t frame)
{
	if (!frame_is_linked(clock_table(policy), frame))
		return;
	frame_list_remove(clock_table(policy), &policy->list, frame);
	policy->held--;
}

static void clock_cold(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_remove(clock_table(policy), &policy->list, frame);
	frame_list_push_head(clock_table(policy), &policy->list, frame);
	policy->frames[frame].used = false;
}

static uint32_t clock_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_clock = {
	.version = PAGERD_POLICY_VERSION,
	.name = "clock",
	.summary = "one reference bit and a hand (Corbato 1968)",
	.frame_bytes = sizeof(struct clock_frame),
	.create = clock_create,
	.destroy = clock_destroy,
	.page_in = clock_page_in,
	.referenced = clock_referenced,
	.victims = clock_victims,
	.keep = clock_keep,
	.restore = clock_restore,
	.page_out = clock_page_out,
	.forget = clock_forget,
	.cold = clock_cold,
	.held = clock_held,
};
