/* SPDX-License-Identifier: MIT */
/*
 * lirs: pages whose last two uses lie close together stay; the others pass through.
 *
 * Source: S. Jiang, X. Zhang, "LIRS: an efficient low inter-reference recency set replacement
 * policy to improve buffer cache performance", SIGMETRICS 2002. The stack S holds pages by their
 * last use, down to the last LIR page: LIR pages, HIR pages, and ghosts of HIR pages that left. The
 * queue Q holds the resident HIR pages, and gives the victims. A HIR page that is used while it is
 * in S becomes LIR, and the lowest LIR page goes to Q. Whenever the lowest of S is not LIR it
 * leaves S.
 *
 * Variant: the ghosts, which the paper does not bound, are at most a share of the capacity; those
 * that left first go. A page that leaves from an empty Q is the lowest LIR page. Where pages leave
 * ahead of demand the capacity is never reached: what is held when victims are asked for counts
 * as the capacity then, so that Q has its share.
 *
 * Order: the paper evicts first, and looks the page that comes up after that, in S; so here. The
 * victim's ghost may be the one too many: one more is kept until the page comes in.
 *
 * A prefetched page enters like any other; its first use moves it as if it had just come. A page
 * that is kept was used again. What is advised cold is HIR, and first in Q.
 *
 * Parameters: hir=PERCENT (1) of the capacity, at least 1 page; ghosts=PERCENT (200) of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_parameters.h"
#include "policy/ghost.h"
#include "policy/policies.h"
#include "policy/queues.h"

/* Held: LIR, or linked in Q. */
struct lirs_frame {
	struct frame_link link; /* in Q */
	uint32_t stand_in;	/* isolated: the ghost that keeps its place in S, + 1; or 0 */
	bool lir;
	bool prefetched; /* and not used since */
};

/* In S numbers below the frame limit are frames, and those from there on ghosts. A ghost that
 * stands in for an isolated frame has value 0 and that frame's number + 1 in stamp; another is
 * linked in left by second. */
struct pagerd_policy {
	struct lirs_frame *frames;
	struct ghosts ghosts;
	struct frame_list stack; /* S; the tail is its top */
	struct frame_list queue; /* Q */
	struct frame_list left;	 /* ghosts, by when they left */
	uint32_t left_count;
	uint32_t held, lir;
	uint32_t lir_limit;
	uint32_t ghosts_most;
	uint64_t hir_percent, ghosts_percent;
	uint32_t frame_limit;
};

static struct frame_table queue_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static struct frame_table stack_table(const struct pagerd_policy *policy)
{
	return ghosts_table(&policy->ghosts);
}

static struct frame_table left_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){&policy->ghosts.table->second, sizeof *policy->ghosts.table};
}

static bool in_stack(const struct pagerd_policy *policy, uint32_t number)
{
	return frame_is_linked(stack_table(policy), number);
}

static bool in_queue(const struct pagerd_policy *policy, uint32_t frame)
{
	return frame_is_linked(queue_table(policy), frame);
}

/* ---- ghosts ------------------------------------------------------------------------------ */

static void ghost_drop(struct pagerd_policy *policy, uint32_t number)
{
	const struct ghost *ghost = &policy->ghosts.table[number];
	if (ghost->value) {
		frame_list_remove(left_table(policy), &policy->left, number);
		policy->left_count--;
	} else {
		policy->frames[ghost->stamp - 1].stand_in = 0;
	}
	frame_list_remove(stack_table(policy), &policy->stack, number);
	ghosts_remove(&policy->ghosts, number);
}

static void ghosts_trim(struct pagerd_policy *policy, uint32_t most)
{
	while (policy->left_count > most)
		ghost_drop(policy, frame_list_head(&policy->left));
}

static pagerd_page_t lirs_page(const struct pagerd_policy *policy, uint32_t frame)
{
	const struct ghost *entry = &policy->ghosts.table[frame];
	return (pagerd_page_t)entry->page_high << 32 | entry->page_low;
}

/* Put a ghost into the place of a frame in S, or the other way round. */
static void stack_replace(struct pagerd_policy *policy, uint32_t from, uint32_t to)
{
	frame_list_insert_before(stack_table(policy), &policy->stack, to, from);
	frame_list_remove(stack_table(policy), &policy->stack, from);
}

static void stand_in_make(struct pagerd_policy *policy, uint32_t frame)
{
	uint32_t ghost = ghosts_add(&policy->ghosts, lirs_page(policy, frame));
	policy->ghosts.table[ghost].stamp = frame + 1;
	policy->frames[frame].stand_in = ghost + 1;
	stack_replace(policy, frame, ghost);
}

/* ---- S and Q ----------------------------------------------------------------------------- */

static void stack_prune(struct pagerd_policy *policy)
{
	while (!frame_list_is_empty(&policy->stack)) {
		uint32_t lowest = frame_list_head(&policy->stack);
		if (lowest >= policy->frame_limit)
			ghost_drop(policy, lowest);
		else if (!policy->frames[lowest].lir)
			frame_list_remove(stack_table(policy), &policy->stack, lowest);
		else
			return;
	}
}

/* The lowest LIR page becomes HIR, the last of Q. */
static void lirs_demote(struct pagerd_policy *policy)
{
	stack_prune(policy);
	uint32_t frame = frame_list_head(&policy->stack);
	frame_list_remove(stack_table(policy), &policy->stack, frame);
	policy->frames[frame].lir = false;
	policy->lir--;
	frame_list_push_tail(queue_table(policy), &policy->queue, frame);
	stack_prune(policy);
}

static void lirs_limit(struct pagerd_policy *policy)
{
	while (policy->lir > policy->lir_limit)
		lirs_demote(policy);
}

static void lirs_capacity(struct pagerd_policy *policy, uint32_t pages)
{
	uint32_t hir = queues_share(pages, policy->hir_percent);
	policy->lir_limit = pages > hir ? pages - hir : 0;
}

/* The frame, in neither, is used, and LIR from now on or HIR. */
static void lirs_put(struct pagerd_policy *policy, uint32_t frame, bool lir)
{
	frame_list_push_tail(stack_table(policy), &policy->stack, frame);
	policy->frames[frame].lir = lir;
	policy->held++;
	if (lir) {
		policy->lir++;
		lirs_limit(policy);
	} else {
		frame_list_push_tail(queue_table(policy), &policy->queue, frame);
	}
}

/* Out of both. */
static void lirs_remove(struct pagerd_policy *policy, uint32_t frame)
{
	struct lirs_frame *state = &policy->frames[frame];
	if (in_stack(policy, frame))
		frame_list_remove(stack_table(policy), &policy->stack, frame);
	policy->held--;
	if (!state->lir) {
		frame_list_remove(queue_table(policy), &policy->queue, frame);
		return;
	}
	state->lir = false;
	policy->lir--;
	stack_prune(policy);
}

/* ---- the policy -------------------------------------------------------------------------- */

static void lirs_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	if (capacity_pages > policy->frame_limit)
		capacity_pages = policy->frame_limit;
	lirs_capacity(policy, capacity_pages);
	lirs_limit(policy);
	policy->ghosts_most = queues_share(capacity_pages, policy->ghosts_percent);
	ghosts_trim(policy, policy->ghosts_most);
}

static int lirs_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t hir = 1, ghosts = 200;
	const struct policy_parameter accepted[] = {{"hir", 1, 99, &hir},
						    {"ghosts", 1, 1000, &ghosts}};
	int error = policy_parameters_parse(env, accepted, 2);
	if (error)
		return error;
	struct pagerd_policy *lirs = calloc(1, sizeof *lirs);
	if (!lirs)
		return -ENOMEM;
	/* Those that have left, one too many of them, and one for each frame that is isolated. */
	uint64_t most = (uint64_t)queues_share(env->frame_limit, ghosts) + 1 + env->frame_limit;
	if (ghosts_init(&lirs->ghosts, env->frame_limit, most)) {
		free(lirs);
		return -ENOMEM;
	}
	lirs->frames = env->frame_bytes;
	lirs->hir_percent = hir;
	lirs->ghosts_percent = ghosts;
	lirs->frame_limit = env->frame_limit;
	lirs_resize(lirs, env->capacity_pages);
	*policy = lirs;
	return 0;
}

static void lirs_destroy(struct pagerd_policy *policy)
{
	if (policy)
		ghosts_finish(&policy->ghosts);
	free(policy);
}

static void lirs_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			 int prefetched)
{
	uint32_t ghost = ghosts_find(&policy->ghosts, page);
	if (ghost != GHOST_NONE)
		ghost_drop(policy, ghost);
	ghosts_trim(policy, policy->ghosts_most);
	policy->ghosts.table[frame].page_low = (uint32_t)page;
	policy->ghosts.table[frame].page_high = (uint32_t)(page >> 32);
	policy->frames[frame].prefetched = prefetched;
	lirs_put(policy, frame, ghost != GHOST_NONE || policy->lir < policy->lir_limit);
}

static void lirs_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct lirs_frame *state = &policy->frames[frame];
	if (!state->lir && !in_queue(policy, frame))
		return;
	bool lir = state->lir || (in_stack(policy, frame) && !state->prefetched);
	lirs_remove(policy, frame);
	lirs_put(policy, frame, lir);
	state->prefetched = false;
}

/* Room for count, if all that is held were all that there can be. */
static void lirs_make_room(struct pagerd_policy *policy, uint32_t count)
{
	lirs_capacity(policy, policy->held - count + 1);
	lirs_limit(policy);
}

static uint32_t lirs_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	if (count > policy->held)
		count = policy->held;
	if (count)
		lirs_make_room(policy, count);
	while (taken < count) {
		if (frame_list_is_empty(&policy->queue))
			lirs_demote(policy);
		uint32_t frame = frame_list_head(&policy->queue);
		frame_list_remove(queue_table(policy), &policy->queue, frame);
		if (in_stack(policy, frame))
			stand_in_make(policy, frame);
		frames[taken++] = frame;
	}
	policy->held -= taken;
	return taken;
}

static void lirs_keep(struct pagerd_policy *policy, uint32_t frame)
{
	struct lirs_frame *state = &policy->frames[frame];
	bool lir = state->stand_in && !state->prefetched;
	if (state->stand_in)
		ghost_drop(policy, state->stand_in - 1);
	lirs_put(policy, frame, lir);
	state->prefetched = false;
}

static void lirs_restore(struct pagerd_policy *policy, uint32_t frame)
{
	uint32_t stand_in = policy->frames[frame].stand_in;
	if (stand_in) {
		stack_replace(policy, stand_in - 1, frame);
		ghosts_remove(&policy->ghosts, stand_in - 1);
		policy->frames[frame].stand_in = 0;
	}
	frame_list_push_head(queue_table(policy), &policy->queue, frame);
	policy->held++;
}

static void lirs_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	struct lirs_frame *state = &policy->frames[frame];
	policy_check(!state->lir && !in_queue(policy, frame), frame,
		     "a page that is evicted was isolated");
	if (!state->stand_in)
		return;
	ghosts_trim(policy, policy->ghosts_most);
	uint32_t ghost = state->stand_in - 1;
	policy->ghosts.table[ghost].second = (struct frame_link){0};
	frame_list_push_tail(left_table(policy), &policy->left, ghost);
	policy->left_count++;
	state->stand_in = 0;
}

static void lirs_forget(struct pagerd_policy *policy, uint32_t frame)
{
	const struct lirs_frame *state = &policy->frames[frame];
	if (state->lir || in_queue(policy, frame))
		lirs_remove(policy, frame);
	else if (state->stand_in)
		ghost_drop(policy, state->stand_in - 1);
}

static void lirs_cold(struct pagerd_policy *policy, uint32_t frame)
{
	lirs_remove(policy, frame);
	frame_list_push_head(queue_table(policy), &policy->queue, frame);
	policy->held++;
}

static uint32_t lirs_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

static uint64_t lirs_ghosts(const struct pagerd_policy *policy)
{
	return policy->ghosts.count;
}

static uint64_t lirs_metadata_bytes(const struct pagerd_policy *policy)
{
	return ghosts_bytes(&policy->ghosts) + policy->held * sizeof *policy->ghosts.table;
}

const struct pagerd_policy_ops pagerd_policy_lirs = {
	.version = PAGERD_POLICY_VERSION,
	.name = "lirs",
	.summary = "low inter-reference recency (Jiang, Zhang 2002)",
	.frame_bytes = sizeof(struct lirs_frame),
	.create = lirs_create,
	.destroy = lirs_destroy,
	.page_in = lirs_page_in,
	.referenced = lirs_referenced,
	.victims = lirs_victims,
	.keep = lirs_keep,
	.restore = lirs_restore,
	.page_out = lirs_page_out,
	.forget = lirs_forget,
	.cold = lirs_cold,
	.resize = lirs_resize,
	.held = lirs_held,
	.ghosts = lirs_ghosts,
	.metadata_bytes = lirs_metadata_bytes,
};
