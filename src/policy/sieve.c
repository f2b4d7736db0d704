/* SPDX-License-Identifier: MIT */
/*
 * sieve: a hand goes from the oldest page to the youngest and takes the first that was not used.
 *
 * Source: Y. Zhang, J. Yang, Y. Yue, Y. Vigfusson, K. V. Rashmi, "SIEVE is simpler than LRU", NSDI
 * 2024. One bit a page: set by a use, cleared by the hand. Pages never move: new ones enter at the
 * young end, away from the hand, so that those that are not used again soon leave and those that
 * are stay behind it. Having passed the youngest it begins again at the oldest. The first use of a
 * prefetched page is the one that it was fetched for: the bit stays clear. A page that is kept is
 * one that the hand passed, and one that is advised cold is put before the hand.
 *
 * Parameters: none.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_list.h"
#include "pagerd/policy_parameters.h"
#include "policy/policies.h"

struct sieve_frame {
	struct frame_link link;
	bool used;
	bool prefetched; /* and not used since */
};

struct pagerd_policy {
	struct sieve_frame *frames;
	struct frame_list list; /* head: the oldest */
	uint32_t hand;		/* frame + 1; 0: at the oldest */
	uint32_t held;
};

static struct frame_table sieve_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static int sieve_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	struct pagerd_policy *sieve = calloc(1, sizeof *sieve);
	if (!sieve)
		return -ENOMEM;
	sieve->frames = env->frame_bytes;
	*policy = sieve;
	return 0;
}

static void sieve_destroy(struct pagerd_policy *policy)
{
	free(policy);
}

static void sieve_insert(struct pagerd_policy *policy, uint32_t frame, uint32_t before)
{
	if (before)
		frame_list_insert_before(sieve_table(policy), &policy->list, frame, before - 1);
	else
		frame_list_push_tail(sieve_table(policy), &policy->list, frame);
	policy->held++;
}

/* Out of the list; the hand that is there goes on to the next. */
static void sieve_remove(struct pagerd_policy *policy, uint32_t frame)
{
	if (policy->hand == frame + 1)
		policy->hand = frame_list_next(sieve_table(policy), frame) + 1;
	frame_list_remove(sieve_table(policy), &policy->list, frame);
	policy->held--;
}

static void sieve_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			  int prefetched)
{
	(void)page;
	policy->frames[frame].used = false;
	policy->frames[frame].prefetched = prefetched;
	sieve_insert(policy, frame, 0);
}

static void sieve_keep(struct pagerd_policy *policy, uint32_t frame)
{
	policy->frames[frame].used = policy->frames[frame].prefetched = false;
	sieve_insert(policy, frame, policy->hand);
}

/* A hand that has passed the youngest was at this one, and the list has no place after that. */
static void sieve_restore(struct pagerd_policy *policy, uint32_t frame)
{
	sieve_insert(policy, frame, policy->hand);
	policy->hand = frame + 1;
}

static void sieve_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct sieve_frame *state = &policy->frames[frame];
	state->used = !state->prefetched;
	state->prefetched = false;
}

/* The next page that was not used. */
static uint32_t sieve_next(struct pagerd_policy *policy)
{
	uint32_t inside = policy->hand ? policy->hand : policy->list.head;
	while (policy->frames[inside - 1].used) {
		policy->frames[inside - 1].used = false;
		inside = frame_list_next(sieve_table(policy), inside - 1) + 1;
		if (!inside)
			inside = policy->list.head;
	}
	policy->hand = inside;
	return inside - 1;
}

static uint32_t sieve_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && policy->held) {
		uint32_t frame = sieve_next(policy);
		sieve_remove(policy, frame);
		frames[taken++] = frame;
	}
	return taken;
}

static void sieve_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!frame_is_linked(sieve_table(policy), frame), frame,
		     "a page that is evicted was isolated");
}

static void sieve_forget(struct pagerd_policy *policy, uint32_t frame)
{
	if (frame_is_linked(sieve_table(policy), frame))
		sieve_remove(policy, frame);
}

/* With the hand at no page in particular it is at the oldest. */
static void sieve_cold(struct pagerd_policy *policy, uint32_t frame)
{
	policy->frames[frame].used = false;
	sieve_remove(policy, frame);
	sieve_insert(policy, frame, policy->hand ? policy->hand : policy->list.head);
	policy->hand = frame + 1;
}

static uint32_t sieve_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_sieve = {
	.version = PAGERD_POLICY_VERSION,
	.name = "sieve",
	.summary = "a hand passes those used, new pages enter away from it (Zhang et al. 2024)",
	.frame_bytes = sizeof(struct sieve_frame),
	.create = sieve_create,
	.destroy = sieve_destroy,
	.page_in = sieve_page_in,
	.referenced = sieve_referenced,
	.victims = sieve_victims,
	.keep = sieve_keep,
	.restore = sieve_restore,
	.page_out = sieve_page_out,
	.forget = sieve_forget,
	.cold = sieve_cold,
	.held = sieve_held,
};
