/* SPDX-License-Identifier: MIT */
/*
 * min: the page whose next use is furthest away leaves first. No policy has fewer misses.
 *
 * Source: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM
 * Systems Journal 5(2), 1966; proved by Mattson et al. 1970. Demand paging without bypass: a page
 * that is missed always comes in, even one that is never used again. It needs the future, which
 * only the simulator knows (struct pagerd_policy_env, next_use).
 *
 * Pages that are never used again leave first, those used last before the others, and those that
 * were restored or are advised cold before all. A prefetched page enters like any other.
 *
 * Parameters: none.
 *
 * Each reference uses one page, so a next use names a page: a bit for each reference, and words
 * of bits above them that say which words are not 0, give the furthest in one step a level, and an
 * array by next use says whose it is.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_list.h"
#include "pagerd/policy_parameters.h"
#include "policy/policies.h"
#include "reserve.h"

#define MIN_LEVELS 6 /* of 64 each: 2^36 references */
#define MIN_NEVER  UINT64_MAX

struct min_frame {
	struct frame_link link; /* among the first to leave */
	uint64_t next;		/* use + 1, if it is held by that; else 0 */
	uint64_t told;		/* the next use */
	uint32_t page_low, page_high;
};

struct pagerd_policy {
	struct min_frame *frames;
	struct frame_list first; /* to leave: never used again, restored, cold */
	uint32_t held;
	uint64_t references;
	uint64_t (*next_use)(void *context, pagerd_page_t page);
	void *context;
	uint32_t *frame_at;	    /* by next use, where the bit is set */
	uint64_t *bits[MIN_LEVELS]; /* [0]: by next use; [n + 1]: the words of [n] */
};

static struct frame_table min_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

/* Bytes of a level, whole words; the last level is one word. */
static uint64_t min_bytes(uint64_t references, unsigned level)
{
	return ((references >> 6 * (level + 1)) + 1) * sizeof(uint64_t);
}

static void min_destroy(struct pagerd_policy *policy)
{
	if (!policy)
		return;
	for (unsigned i = 0; i < MIN_LEVELS; i++)
		memory_release(policy->bits[i], min_bytes(policy->references, i));
	memory_release(policy->frame_at, (policy->references + 1) * sizeof *policy->frame_at);
	free(policy);
}

static bool min_reserve(struct pagerd_policy *policy)
{
	for (unsigned i = 0; i < MIN_LEVELS; i++) {
		policy->bits[i] = memory_reserve(min_bytes(policy->references, i));
		if (!policy->bits[i])
			return false;
	}
	policy->frame_at = memory_reserve((policy->references + 1) * sizeof *policy->frame_at);
	return policy->frame_at;
}

static int min_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	if (!env->next_use) {
		snprintf(env->why, env->why_bytes,
			 "it has to know the future; only the simulator can run it");
		return -EINVAL;
	}
	if (env->references >> 6 * MIN_LEVELS) {
		snprintf(env->why, env->why_bytes, "there are more references than it can number");
		return -EINVAL;
	}
	struct pagerd_policy *min = calloc(1, sizeof *min);
	if (!min)
		return -ENOMEM;
	min->frames = env->frame_bytes;
	min->references = env->references;
	min->next_use = env->next_use;
	min->context = env->next_use_context;
	if (!min_reserve(min)) {
		min_destroy(min);
		return -ENOMEM;
	}
	*policy = min;
	return 0;
}

static void min_mark(struct pagerd_policy *policy, uint64_t next)
{
	for (unsigned i = 0; i < MIN_LEVELS; i++, next >>= 6) {
		uint64_t *word = &policy->bits[i][next >> 6], before = *word;
		*word |= 1ull << (next & 63);
		if (before)
			return;
	}
}

static void min_unmark(struct pagerd_policy *policy, uint64_t next)
{
	for (unsigned i = 0; i < MIN_LEVELS; i++, next >>= 6)
		if (policy->bits[i][next >> 6] &= ~(1ull << (next & 63)))
			return;
}

/* The frame whose next use is furthest; there must be one. */
static uint32_t min_furthest(const struct pagerd_policy *policy)
{
	uint64_t next = 0;
	for (unsigned i = MIN_LEVELS; i-- > 0;)
		next = next << 6 | (63 - (uint64_t)__builtin_clzll(policy->bits[i][next]));
	return policy->frame_at[next];
}

static void min_keep(struct pagerd_policy *policy, uint32_t frame)
{
	struct min_frame *state = &policy->frames[frame];
	policy->held++;
	if (state->told >= policy->references) {
		frame_list_push_head(min_table(policy), &policy->first, frame);
		return;
	}
	state->next = state->told + 1;
	policy->frame_at[state->told] = frame;
	min_mark(policy, state->told);
}

static void min_restore(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_head(min_table(policy), &policy->first, frame);
	policy->held++;
}

static bool min_holds(const struct pagerd_policy *policy, uint32_t frame)
{
	return policy->frames[frame].next || frame_is_linked(min_table(policy), frame);
}

static void min_forget(struct pagerd_policy *policy, uint32_t frame)
{
	struct min_frame *state = &policy->frames[frame];
	if (!min_holds(policy, frame))
		return;
	policy->held--;
	if (!state->next) {
		frame_list_remove(min_table(policy), &policy->first, frame);
		return;
	}
	min_unmark(policy, state->next - 1);
	state->next = 0;
}

static void min_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	struct min_frame *state = &policy->frames[frame];
	(void)prefetched;
	state->page_low = (uint32_t)page;
	state->page_high = (uint32_t)(page >> 32);
	state->told = policy->next_use(policy->context, page);
	min_keep(policy, frame);
}

static void min_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct min_frame *state = &policy->frames[frame];
	pagerd_page_t page = (pagerd_page_t)state->page_high << 32 | state->page_low;
	bool held = min_holds(policy, frame);
	if (held)
		min_forget(policy, frame);
	state->told = policy->next_use(policy->context, page);
	if (held)
		min_keep(policy, frame);
}

static uint32_t min_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && policy->held) {
		uint32_t frame = frame_list_is_empty(&policy->first)
					 ? min_furthest(policy)
					 : frame_list_head(&policy->first);
		min_forget(policy, frame);
		frames[taken++] = frame;
	}
	return taken;
}

static void min_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!min_holds(policy, frame), frame, "a page that is evicted was isolated");
}

static void min_cold(struct pagerd_policy *policy, uint32_t frame)
{
	min_forget(policy, frame);
	min_restore(policy, frame);
}

static uint32_t min_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_min = {
	.version = PAGERD_POLICY_VERSION,
	.name = "min",
	.summary = "the next use furthest away, knowing the future (Belady 1966); simulator only",
	.frame_bytes = sizeof(struct min_frame),
	.create = min_create,
	.destroy = min_destroy,
	.page_in = min_page_in,
	.referenced = min_referenced,
	.victims = min_victims,
	.keep = min_keep,
	.restore = min_restore,
	.page_out = min_page_out,
	.forget = min_forget,
	.cold = min_cold,
	.held = min_held,
};
