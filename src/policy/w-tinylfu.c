/* SPDX-License-Identifier: MIT */
/*
 * w-tinylfu: a page is let into the main cache if it is used more often than what leaves for it.
 *
 * Source: G. Einziger, R. Friedman, B. Manes, "TinyLFU: a highly efficient cache admission policy",
 * ACM Transactions on Storage 13(4), 2017. A page enters the window, an LRU list. When that is too
 * long its oldest page, the candidate, meets the next victim of the main cache, and the one with
 * the lower estimated frequency leaves; with equal ones, the candidate. The main cache is a
 * segmented LRU: a use brings a page from probation to the protected part, whose oldest goes back
 * when that is full. Frequencies: policy/sketch.h, without a doorkeeper.
 *
 * Order: the candidate and the victim meet when room is made for the page that comes, so that the
 * use of that page is counted just after instead of before. Until pages have to leave, what the
 * window is too small for goes to probation.
 *
 * A prefetched page was not used yet: its first use is counted, and leaves it where it is. A page
 * that is kept was used again.
 *
 * Parameters: window=PERCENT (1) of the capacity; protected=PERCENT (80) of the rest; sample=N
 * (10) times the capacity are the uses between halvings.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_parameters.h"
#include "policy/policies.h"
#include "policy/queues.h"
#include "policy/sketch.h"

enum { WINDOW = QUEUE_A, PROBATION = QUEUE_B, PROTECTED = QUEUE_C };

struct pagerd_policy {
	struct queues queues;
	struct sketch sketch;
	uint32_t window, protected;
	uint64_t window_percent, protected_percent, sample;
	uint32_t frame_limit;
	bool full; /* pages have to leave */
};

static void tinylfu_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	if (capacity_pages > policy->frame_limit)
		capacity_pages = policy->frame_limit;
	policy->window = queues_share(capacity_pages, policy->window_percent);
	policy->protected =
		capacity_pages > policy->window
			? queues_share(capacity_pages - policy->window, policy->protected_percent)
			: 0;
	policy->full = false;
	sketch_resize(&policy->sketch, capacity_pages, policy->sample * capacity_pages);
}

static uint32_t tinylfu_choose(struct pagerd_policy *policy)
{
	struct queues *queues = &policy->queues;
	policy->full = true;
	if (!queues->counts[PROBATION] && !queues->counts[PROTECTED])
		return queues_head(queues, WINDOW);
	uint32_t victim = queues_head(queues, queues->counts[PROBATION] ? PROBATION : PROTECTED);
	if (queues->counts[WINDOW] < policy->window)
		return victim;
	uint32_t candidate = queues_head(queues, WINDOW);
	if (sketch_uses(&policy->sketch, queues_page(queues, candidate)) <=
	    sketch_uses(&policy->sketch, queues_page(queues, victim)))
		return candidate;
	queues_move(queues, PROBATION, candidate);
	return victim;
}

static int tinylfu_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t window = 1, protected = 80, sample = 10;
	const struct policy_parameter accepted[] = {{"window", 1, 99, &window},
						    {"protected", 1, 99, &protected},
						    {"sample", 1, 1000, &sample}};
	int error = policy_parameters_parse(env, accepted, 3);
	if (error)
		return error;
	struct pagerd_policy *tinylfu = calloc(1, sizeof *tinylfu);
	if (!tinylfu)
		return -ENOMEM;
	if (sketch_init(&tinylfu->sketch, env->frame_limit)) {
		free(tinylfu);
		return -ENOMEM;
	}
	tinylfu->queues.frames = env->frame_bytes;
	tinylfu->queues.choose = tinylfu_choose;
	tinylfu->window_percent = window;
	tinylfu->protected_percent = protected;
	tinylfu->sample = sample;
	tinylfu->frame_limit = env->frame_limit;
	tinylfu_resize(tinylfu, env->capacity_pages);
	*policy = tinylfu;
	return 0;
}

static void tinylfu_destroy(struct pagerd_policy *policy)
{
	if (policy)
		sketch_finish(&policy->sketch);
	free(policy);
}

static void tinylfu_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			    int prefetched)
{
	struct queues *queues = &policy->queues;
	queues_page_in(queues, WINDOW, frame, page, prefetched);
	if (!prefetched)
		sketch_use(&policy->sketch, page);
	while (!policy->full && queues->counts[WINDOW] > policy->window)
		queues_move(queues, PROBATION, queues_head(queues, WINDOW));
}

/* The frame, in no queue, was used where it was. */
static void tinylfu_keep(struct pagerd_policy *policy, uint32_t frame)
{
	struct queues *queues = &policy->queues;
	struct queued_frame *state = &queues->frames[frame];
	sketch_use(&policy->sketch, queues_page(queues, frame));
	bool stays = state->home == WINDOW || state->prefetched;
	queues_push_tail(queues, stays ? state->home : PROTECTED, frame);
	state->prefetched = false;
	while (queues->counts[PROTECTED] > policy->protected)
		queues_move(queues, PROBATION, queues_head(queues, PROTECTED));
}

static void tinylfu_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	if (!policy->queues.frames[frame].queue)
		return;
	queues_remove(&policy->queues, frame);
	tinylfu_keep(policy, frame);
}

static void tinylfu_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	queues_evicted(&policy->queues, frame);
}

static uint64_t tinylfu_metadata_bytes(const struct pagerd_policy *policy)
{
	return sketch_bytes(&policy->sketch);
}

const struct pagerd_policy_ops pagerd_policy_w_tinylfu = {
	.version = PAGERD_POLICY_VERSION,
	.name = "w-tinylfu",
	.summary = "a window, and admission by frequency (Einziger, Friedman, Manes 2017)",
	.frame_bytes = sizeof(struct queued_frame),
	.create = tinylfu_create,
	.destroy = tinylfu_destroy,
	.page_in = tinylfu_page_in,
	.referenced = tinylfu_referenced,
	.victims = queues_victims,
	.keep = tinylfu_keep,
	.restore = queues_restore,
	.page_out = tinylfu_page_out,
	.forget = queues_forget,
	.cold = queues_cold,
	.resize = tinylfu_resize,
	.held = queues_held,
	.metadata_bytes = tinylfu_metadata_bytes,
};
