/* SPDX-License-Identifier: MIT */
/*
 * mru: the page that was used last leaves first.
 *
 * Source: H.-T. Chou, D. J. DeWitt, "An evaluation of buffer management strategies for relational
 * database systems", VLDB 1985. The best there is for a loop over more than fits. A prefetched page
 * was not used yet and enters as the least recently used. A page that is kept goes to that end
 * too; else the next batch of victims would be the same again.
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
	struct frame_list list; /* head: most recently used */
	uint32_t held;
};

static struct frame_table mru_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static int mru_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	struct pagerd_policy *mru = calloc(1, sizeof *mru);
	if (!mru)
		return -ENOMEM;
	mru->frames = env->frame_bytes;
	*policy = mru;
	return 0;
}

static void mru_destroy(struct pagerd_policy *policy)
{
	free(policy);
}

static void mru_keep(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_tail(mru_table(policy), &policy->list, frame);
	policy->held++;
}

static void mru_restore(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_head(mru_table(policy), &policy->list, frame);
	policy->held++;
}

static void mru_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	(void)page;
	if (prefetched)
		mru_keep(policy, frame);
	else
		mru_restore(policy, frame);
}

static void mru_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	/* Isolated frames are in no list: their use shows when they are kept. */
	if (!frame_is_linked(mru_table(policy), frame) || frame_list_head(&policy->list) == frame)
		return;
	frame_list_remove(mru_table(policy), &policy->list, frame);
	frame_list_push_head(mru_table(policy), &policy->list, frame);
}

static uint32_t mru_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && !frame_list_is_empty(&policy->list)) {
		uint32_t frame = frame_list_head(&policy->list);
		frame_list_remove(mru_table(policy), &policy->list, frame);
		frames[taken++] = frame;
	}
	policy->held -= taken;
	return taken;
}

static void mru_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!frame_is_linked(mru_table(policy), frame), frame,
		     "a page that is evicted was isolated");
}

static void mru_forget(struct pagerd_policy *policy, uint32_t frame)
{
	if (!frame_is_linked(mru_table(policy), frame))
		return;
	frame_list_remove(mru_table(policy), &policy->list, frame);
	policy->held--;
}

static void mru_cold(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_remove(mru_table(policy), &policy->list, frame);
	frame_list_push_head(mru_table(policy), &policy->list, frame);
}

static uint32_t mru_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_mru = {
	.version = PAGERD_POLICY_VERSION,
	.name = "mru",
	.summary = "most recently used leaves first (Chou, DeWitt 1985)",
	.frame_bytes = sizeof(struct frame_link),
	.references = PAGERD_REFERENCES_TOLD,
	.create = mru_create,
	.destroy = mru_destroy,
	.page_in = mru_page_in,
	.referenced = mru_referenced,
	.victims = mru_victims,
	.keep = mru_keep,
	.restore = mru_restore,
	.page_out = mru_page_out,
	.forget = mru_forget,
	.cold = mru_cold,
	.held = mru_held,
};
