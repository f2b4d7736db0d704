/* SPDX-License-Identifier: MIT */
/*
 * lru: the page that was not used for longest leaves first.
 *
 * Source: R. L. Mattson, J. Gecsei, D. R. Slutz, I. L. Traiger, "Evaluation techniques for storage
 * hierarchies", IBM Systems Journal 9(2), 1970. Exact: one list, and every use moves the page to
 * its most recent end. A prefetched page enters like any other, as most recently used.
 *
 * Parameters: none.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_list.h"
#include "pagerd/policy_parameters.h"
#include "policy/policies.h"

struct pagerd_policy {
	struct frame_link *frames;
	struct frame_list list; /* head: least recently used */
	uint32_t held;
};

static struct frame_table lru_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static int lru_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	struct pagerd_policy *lru = calloc(1, sizeof *lru);
	if (!lru)
		return -ENOMEM;
	lru->frames = env->frame_bytes;
	*policy = lru;
	return 0;
}

static void lru_destroy(struct pagerd_policy *policy)
{
	free(policy);
}

static void lru_keep(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_tail(lru_table(policy), &policy->list, frame);
	policy->held++;
}

static void lru_restore(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_head(lru_table(policy), &policy->list, frame);
	policy->held++;
}

static void lru_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	(void)page;
	(void)prefetched;
	lru_keep(policy, frame);
}

static void lru_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	/* Isolated frames are in no list: their use shows when they are kept. */
	if (frame_is_linked(lru_table(policy), frame))
		frame_list_move_tail(lru_table(policy), &policy->list, frame);
}

static uint32_t lru_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && !frame_list_is_empty(&policy->list)) {
		uint32_t frame = frame_list_head(&policy->list);
		frame_list_remove(lru_table(policy), &policy->list, frame);
		frames[taken++] = frame;
	}
	policy->held -= taken;
	return taken;
}

static void lru_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!frame_is_linked(lru_table(policy), frame), frame,
		     "a page that is evicted was isolated");
}

static void lru_forget(struct pagerd_policy *policy, uint32_t frame)
{
	if (!frame_is_linked(lru_table(policy), frame))
		return;
	frame_list_remove(lru_table(policy), &policy->list, frame);
	policy->held--;
}

static void lru_cold(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_remove(lru_table(policy), &policy->list, frame);
	frame_list_push_head(lru_table(policy), &policy->list, frame);
}

static uint32_t lru_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_lru = {
	.version = PAGERD_POLICY_VERSION,
	.name = "lru",
	.summary = "least recently used, exact (Mattson et al. 1970)",
	.frame_bytes = sizeof(struct frame_link),
	.create = lru_create,
	.destroy = lru_destroy,
	.page_in = lru_page_in,
	.referenced = lru_referenced,
	.victims = lru_victims,
	.keep = lru_keep,
	.restore = lru_restore,
	.page_out = lru_page_out,
	.forget = lru_forget,
	.cold = lru_cold,
	.held = lru_held,
};
