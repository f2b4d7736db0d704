/* SPDX-License-Identifier: MIT */
/*
 * fifo: the page that came in first leaves first.
 *
 * Source: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM
 * Systems Journal 5(2), 1966. Uses are ignored. A prefetched page enters like any other. A page
 * that is kept enters anew, at the tail; else the next batch of victims would be the same again.
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
	struct frame_list list; /* head: came in first */
	uint32_t held;
};

static struct frame_table fifo_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static int fifo_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	struct pagerd_policy *fifo = calloc(1, sizeof *fifo);
	if (!fifo)
		return -ENOMEM;
	fifo->frames = env->frame_bytes;
	*policy = fifo;
	return 0;
}

static void fifo_destroy(struct pagerd_policy *policy)
{
	free(policy);
}

static void fifo_keep(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_tail(fifo_table(policy), &policy->list, frame);
	policy->held++;
}

static void fifo_restore(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_head(fifo_table(policy), &policy->list, frame);
	policy->held++;
}

static void fifo_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			 int prefetched)
{
	(void)page;
	(void)prefetched;
	fifo_keep(policy, frame);
}

static void fifo_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	(void)policy;
	(void)frame;
}

static uint32_t fifo_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && !frame_list_is_empty(&policy->list)) {
		uint32_t frame = frame_list_head(&policy->list);
		frame_list_remove(fifo_table(policy), &policy->list, frame);
		frames[taken++] = frame;
	}
	policy->held -= taken;
	return taken;
}

static void fifo_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!frame_is_linked(fifo_table(policy), frame), frame,
		     "a page that is evicted was isolated");
}

static void fifo_forget(struct pagerd_policy *policy, uint32_t frame)
{
	if (!frame_is_linked(fifo_table(policy), frame))
		return;
	frame_list_remove(fifo_table(policy), &policy->list, frame);
	policy->held--;
}

static void fifo_cold(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_remove(fifo_table(policy), &policy->list, frame);
	frame_list_push_head(fifo_table(policy), &policy->list, frame);
}

static uint32_t fifo_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_fifo = {
	.version = PAGERD_POLICY_VERSION,
	.name = "fifo",
	.summary = "first in, first out (Belady 1966)",
	.frame_bytes = sizeof(struct frame_link),
	.references = PAGERD_REFERENCES_NONE,
	.create = fifo_create,
	.destroy = fifo_destroy,
	.page_in = fifo_page_in,
	.referenced = fifo_referenced,
	.victims = fifo_victims,
	.keep = fifo_keep,
	.restore = fifo_restore,
	.page_out = fifo_page_out,
	.forget = fifo_forget,
	.cold = fifo_cold,
	.held = fifo_held,
};
