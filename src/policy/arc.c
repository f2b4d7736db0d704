/* SPDX-License-Identifier: MIT */
/*
 * arc: two LRU lists, for pages used once and more than once, whose sizes adapt.
 *
 * Source: N. Megiddo, D. S. Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003.
 * T1 holds pages used once lately and T2 those used at least twice; B1 and B2 remember the pages
 * that left them. A miss of a page in B1 says that T1 should have been larger, one in B2 that T2
 * should: the target p of T1 moves, by the ratio of the lists, and is a real number as in the
 * paper. |T1| + |B1| <= c, and all four together hold at most 2c.
 *
 * Order: the paper adapts p, evicts (REPLACE), and inserts. demand adapts p, and tells victims
 * whether the page that comes is in B2; a page that comes without it is taken account of in
 * page_in. Bounds are restored when the page comes in instead of before: the same ghosts go.
 *
 * Variant: a prefetched page enters like any other; its first use leaves it in T1. A page that
 * is kept was used again.
 *
 * Parameters: none.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_parameters.h"
#include "policy/ghost.h"
#include "policy/policies.h"
#include "policy/queues.h"

enum { T1 = QUEUE_A, T2 = QUEUE_B };
enum { B1, B2 };

struct pagerd_policy {
	struct queues queues;
	struct ghosts ghosts; /* value: B1 or B2; stamp: p has been adapted for it */
	struct frame_list lists[2];
	uint32_t counts[2];
	double p;
	bool demand_b2; /* the page that was demanded last is in B2 */
	uint32_t capacity;
	uint32_t frame_limit;
};

static void arc_pop(struct pagerd_policy *policy, int list)
{
	ghosts_pop(&policy->ghosts, &policy->lists[list]);
	policy->counts[list]--;
}

static void arc_trim(struct pagerd_policy *policy)
{
	const uint32_t *t = policy->queues.counts, *b = policy->counts;
	while (b[B1] && t[T1] + b[B1] > policy->capacity)
		arc_pop(policy, B1);
	while (b[B2] && (uint64_t)t[T1] + t[T2] + b[B1] + b[B2] > 2ull * policy->capacity)
		arc_pop(policy, B2);
}

static void arc_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	policy->capacity =
		capacity_pages < policy->frame_limit ? capacity_pages : policy->frame_limit;
	if (policy->p > policy->capacity)
		policy->p = policy->capacity;
	arc_trim(policy);
}

/* The paper's REPLACE. */
static uint32_t arc_choose(struct pagerd_policy *policy)
{
	const struct queues *queues = &policy->queues;
	double t1 = queues->counts[T1];
	bool first = t1 > policy->p || (policy->demand_b2 && t1 == policy->p);
	if (!queues->counts[T1] || !queues->counts[T2])
		first = queues->counts[T1];
	return queues_head(queues, first ? T1 : T2);
}

static int arc_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	struct pagerd_policy *arc = calloc(1, sizeof *arc);
	if (!arc)
		return -ENOMEM;
	if (ghosts_init(&arc->ghosts, 0, 2ull * env->frame_limit + 2)) {
		free(arc);
		return -ENOMEM;
	}
	arc->queues.frames = env->frame_bytes;
	arc->queues.choose = arc_choose;
	arc->frame_limit = env->frame_limit;
	arc_resize(arc, env->capacity_pages);
	*policy = arc;
	return 0;
}

static void arc_destroy(struct pagerd_policy *policy)
{
	if (policy)
		ghosts_finish(&policy->ghosts);
	free(policy);
}

/* A ghost is missed. */
static void arc_adapt(struct pagerd_policy *policy, uint32_t ghost)
{
	struct ghost *state = &policy->ghosts.table[ghost];
	double b1 = policy->counts[B1], b2 = policy->counts[B2];
	if (state->stamp)
		return;
	state->stamp = true;
	if (state->value == B1)
		policy->p += b1 >= b2 ? 1 : b2 / b1;
	else
		policy->p -= b2 >= b1 ? 1 : b1 / b2;
	if (policy->p > policy->capacity)
		policy->p = policy->capacity;
	if (policy->p < 0)
		policy->p = 0;
}

static void arc_demand(struct pagerd_policy *policy, pagerd_page_t page)
{
	uint32_t ghost = ghosts_find(&policy->ghosts, page);
	policy->demand_b2 = ghost != GHOST_NONE && policy->ghosts.table[ghost].value == B2;
	if (ghost != GHOST_NONE)
		arc_adapt(policy, ghost);
}

static void arc_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	uint32_t ghost = ghosts_find(&policy->ghosts, page);
	if (ghost != GHOST_NONE) {
		arc_adapt(policy, ghost);
		uint32_t list = policy->ghosts.table[ghost].value;
		ghosts_take(&policy->ghosts, &policy->lists[list], ghost);
		policy->counts[list]--;
	}
	queues_page_in(&policy->queues, ghost == GHOST_NONE ? T1 : T2, frame, page, prefetched);
	policy->demand_b2 = false;
	arc_trim(policy);
}

static void arc_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct queued_frame *state = &policy->queues.frames[frame];
	if (!state->queue)
		return;
	queues_move(&policy->queues, state->prefetched ? state->home : T2, frame);
	state->prefetched = false;
}

static void arc_keep(struct pagerd_policy *policy, uint32_t frame)
{
	struct queued_frame *state = &policy->queues.frames[frame];
	queues_push_tail(&policy->queues, state->prefetched ? state->home : T2, frame);
	state->prefetched = false;
}

static void arc_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	int list = queues_evicted(&policy->queues, frame) == T1 ? B1 : B2;
	pagerd_page_t page = queues_page(&policy->queues, frame);
	if (policy->ghosts.count > 2 * policy->capacity)
		arc_pop(policy, policy->counts[B2] ? B2 : B1);
	ghosts_push(&policy->ghosts, &policy->lists[list], page);
	policy->ghosts.table[frame_list_tail(&policy->lists[list])].value = (uint32_t)list;
	policy->counts[list]++;
}

static uint64_t arc_ghosts(const struct pagerd_policy *policy)
{
	return policy->ghosts.count;
}

static uint64_t arc_metadata_bytes(const struct pagerd_policy *policy)
{
	return ghosts_bytes(&policy->ghosts);
}

const struct pagerd_policy_ops pagerd_policy_arc = {
	.version = PAGERD_POLICY_VERSION,
	.name = "arc",
	.summary = "lists for once and more, balanced by what was evicted (Megiddo, Modha 2003)",
	.frame_bytes = sizeof(struct queued_frame),
	.create = arc_create,
	.destroy = arc_destroy,
	.demand = arc_demand,
	.page_in = arc_page_in,
	.referenced = arc_referenced,
	.victims = queues_victims,
	.keep = arc_keep,
	.restore = queues_restore,
	.page_out = arc_page_out,
	.forget = queues_forget,
	.cold = queues_cold,
	.resize = arc_resize,
	.held = queues_held,
	.ghosts = arc_ghosts,
	.metadata_bytes = arc_metadata_bytes,
};
