/* SPDX-License-Identifier: MIT */
/*
 * s3fifo: three FIFO queues; most pages leave from a small one before they reach the main one.
 *
 * Source: J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. V. Rashmi, "FIFO queues are all you need for cache
 * eviction", SOSP 2023. A page enters S, or M if it is in G, the page numbers that left S last. A
 * use counts up to 3. While S has at least its share of the capacity its oldest page leaves, to G,
 * or to M (the count cleared) if it was used at least twice; else the oldest of M leaves, or goes
 * round with one use less.
 *
 * Variant: as the authors' simulator does it, pages that move from S may make M larger than its
 * share until M is next to give a page, so that one leaves for one that comes; and a page that
 * comes is looked up in G before its victim enters there.
 *
 * A prefetched page enters like any other, and its first use is not counted. A page that is kept
 * goes to the young end of its queue, with a use more.
 *
 * Parameters: small=PERCENT (10) of the capacity, S; ghosts=PERCENT (90), G; move=N (2) uses that
 * bring a page from S to M.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_parameters.h"
#include "policy/ghost.h"
#include "policy/policies.h"
#include "policy/queues.h"

#define S3FIFO_USES 3 /* counted at most */

enum { SMALL = QUEUE_A, MAIN = QUEUE_B };

struct pagerd_policy {
	struct queues queues;
	struct ghosts ghosts;
	struct frame_list ghost_list;
	uint32_t small, ghosts_most;
	uint64_t small_percent, ghosts_percent, move;
	uint32_t frame_limit;
};

static void s3fifo_trim(struct pagerd_policy *policy, uint32_t most)
{
	while (policy->ghosts.count > most)
		ghosts_pop(&policy->ghosts, &policy->ghost_list);
}

static void s3fifo_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	if (capacity_pages > policy->frame_limit)
		capacity_pages = policy->frame_limit;
	policy->small = queues_share(capacity_pages, policy->small_percent);
	policy->ghosts_most = queues_share(capacity_pages, policy->ghosts_percent);
	s3fifo_trim(policy, policy->ghosts_most);
}

/* The oldest page of S that was not used enough, or UINT32_MAX if all of S has moved to M. */
static uint32_t s3fifo_small(struct pagerd_policy *policy)
{
	struct queues *queues = &policy->queues;
	while (queues->counts[SMALL]) {
		uint32_t frame = queues_head(queues, SMALL);
		if (queues->frames[frame].uses < policy->move)
			return frame;
		queues->frames[frame].uses = 0;
		queues_move(queues, MAIN, frame);
	}
	return UINT32_MAX;
}

static uint32_t s3fifo_main(struct pagerd_policy *policy)
{
	struct queues *queues = &policy->queues;
	for (;;) {
		uint32_t frame = queues_head(queues, MAIN);
		if (!queues->frames[frame].uses)
			return frame;
		queues->frames[frame].uses--;
		queues_move(queues, MAIN, frame);
	}
}

static uint32_t s3fifo_choose(struct pagerd_policy *policy)
{
	const uint32_t *counts = policy->queues.counts;
	uint32_t frame = UINT32_MAX;
	if (counts[SMALL] >= policy->small || !counts[MAIN])
		frame = s3fifo_small(policy);
	return frame == UINT32_MAX ? s3fifo_main(policy) : frame;
}

static int s3fifo_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t small = 10, ghosts = 90, move = 2;
	const struct policy_parameter accepted[] = {
		{"small", 1, 99, &small}, {"ghosts", 1, 1000, &ghosts}, {"move", 1, 3, &move}};
	int error = policy_parameters_parse(env, accepted, 3);
	if (error)
		return error;
	struct pagerd_policy *s3fifo = calloc(1, sizeof *s3fifo);
	if (!s3fifo)
		return -ENOMEM;
	if (ghosts_init(&s3fifo->ghosts, 0, queues_share(env->frame_limit, ghosts) + 1)) {
		free(s3fifo);
		return -ENOMEM;
	}
	s3fifo->queues.frames = env->frame_bytes;
	s3fifo->queues.choose = s3fifo_choose;
	s3fifo->small_percent = small;
	s3fifo->ghosts_percent = ghosts;
	s3fifo->move = move;
	s3fifo->frame_limit = env->frame_limit;
	s3fifo_resize(s3fifo, env->capacity_pages);
	*policy = s3fifo;
	return 0;
}

static void s3fifo_destroy(struct pagerd_policy *policy)
{
	if (policy)
		ghosts_finish(&policy->ghosts);
	free(policy);
}

static void s3fifo_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			   int prefetched)
{
	uint32_t ghost = ghosts_find(&policy->ghosts, page);
	if (ghost != GHOST_NONE)
		ghosts_take(&policy->ghosts, &policy->ghost_list, ghost);
	s3fifo_trim(policy, policy->ghosts_most);
	queues_page_in(&policy->queues, ghost == GHOST_NONE ? SMALL : MAIN, frame, page,
		       prefetched);
}

static void s3fifo_use(struct queued_frame *state)
{
	if (!state->prefetched && state->uses < S3FIFO_USES)
		state->uses++;
	state->prefetched = false;
}

static void s3fifo_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct queued_frame *state = &policy->queues.frames[frame];
	if (state->queue == QUEUE_NEXT)
		queues_move(&policy->queues, state->home, frame);
	if (state->queue)
		s3fifo_use(state);
}

static void s3fifo_keep(struct pagerd_policy *policy, uint32_t frame)
{
	struct queued_frame *state = &policy->queues.frames[frame];
	queues_push_tail(&policy->queues, state->home, frame);
	s3fifo_use(state);
}

static void s3fifo_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	if (queues_evicted(&policy->queues, frame) != SMALL)
		return;
	s3fifo_trim(policy, policy->ghosts_most);
	ghosts_push(&policy->ghosts, &policy->ghost_list, queues_page(&policy->queues, frame));
}

static uint64_t s3fifo_ghosts(const struct pagerd_policy *policy)
{
	return policy->ghosts.count;
}

static uint64_t s3fifo_metadata_bytes(const struct pagerd_policy *policy)
{
	return ghosts_bytes(&policy->ghosts);
}

const struct pagerd_policy_ops pagerd_policy_s3fifo = {
	.version = PAGERD_POLICY_VERSION,
	.name = "s3fifo",
	.summary = "a small FIFO before the main one, and ghosts (Yang et al. 2023)",
	.frame_bytes = sizeof(struct queued_frame),
	.create = s3fifo_create,
	.destroy = s3fifo_destroy,
	.page_in = s3fifo_page_in,
	.referenced = s3fifo_referenced,
	.victims = queues_victims,
	.keep = s3fifo_keep,
	.restore = queues_restore,
	.page_out = s3fifo_page_out,
	.forget = queues_forget,
	.cold = queues_cold,
	.resize = s3fifo_resize,
	.held = queues_held,
	.ghosts = s3fifo_ghosts,
	.metadata_bytes = s3fifo_metadata_bytes,
};
