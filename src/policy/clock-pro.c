/* SPDX-License-Identifier: MIT */
/*
 * clock-pro: lirs as a clock with three hands, so that a use only sets a bit.
 *
 * Source: S. Jiang, F. Chen, X. Zhang, "CLOCK-Pro: an effective improvement of the CLOCK
 * replacement", USENIX Annual Technical Conference 2005. All pages are in one clock: hot ones, cold
 * ones, and ghosts of cold ones that left in their test period. The cold hand looks for victims: a
 * cold page that was used in its test period becomes hot. The hot hand makes hot pages that were
 * not used cold, and the test hand ends test periods when there are more ghosts than the capacity.
 * Pages enter behind the hot hand. The number of pages for which there is room as cold ones
 * grows by one with each cold page or ghost that is used in its test period, and shrinks by one
 * with each whose test period ends without a use.
 *
 * Variant: where the paper is silent. Pages are cold when they come, also while there is room. The
 * hot hand runs when there are more hot pages than the capacity less the room for cold ones. A use
 * out of the test period begins a new one; a page that has just been made cold has none. Cold and
 * test hand stay where they are until they are needed again. Where pages leave ahead of demand,
 * what is held when victims are asked for counts as the capacity then.
 *
 * Order: the paper evicts first, and looks the page that comes up after that; so here.
 *
 * The bit of a prefetched page stays clear at its first use. A page that is kept is one that the
 * cold hand found used. What was restored or is advised cold leaves before all others.
 *
 * Parameters: cold=PERCENT (1) of the capacity: room for cold pages at the start, at least 1 page.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_parameters.h"
#include "policy/ghost.h"
#include "policy/policies.h"
#include "policy/queues.h"

/* OUT: isolated, or never heard of. NEXT: out of the clock like those, but held. */
enum clock_kind { OUT, NEXT, COLD, HOT };

struct clock_frame {
	struct frame_link link; /* among the next victims */
	uint32_t stand_in;	/* out of the clock: the ghost that keeps its place, + 1; or 0 */
	uint8_t kind;
	bool used;
	bool test;	 /* cold, in its test period */
	bool prefetched; /* and not used since */
};

/* In the clock numbers below the frame limit are frames, and those from there on ghosts: stamp
 * is the number + 1 of the frame that one stands in for. */
struct pagerd_policy {
	struct clock_frame *frames;
	struct ghosts ghosts;
	struct frame_list clock;       /* the hot hand is at its head */
	struct frame_list next;	       /* restored or advised cold: leave before all others */
	uint32_t cold_hand, test_hand; /* number + 1; 0: at the head */
	uint32_t cold, hot;	       /* pages that are held */
	uint32_t waiting;	       /* in next */
	uint32_t room;		       /* for cold pages; at least 1 */
	uint32_t capacity, now;	       /* pages; and as many as there can be now */
	uint32_t frame_limit;
};

/* ---- the clock --------------------------------------------------------------------------- */

static struct frame_table clock_table(const struct pagerd_policy *policy)
{
	return ghosts_table(&policy->ghosts);
}

static bool is_ghost(const struct pagerd_policy *policy, uint32_t number)
{
	return number >= policy->frame_limit;
}

static uint32_t clock_next(const struct pagerd_policy *policy, uint32_t number)
{
	uint32_t next = frame_list_next(clock_table(policy), number);
	return next == UINT32_MAX ? frame_list_head(&policy->clock) : next;
}

/* Out of the clock; hands that are there go on. */
static void clock_remove(struct pagerd_policy *policy, uint32_t number)
{
	uint32_t next = clock_next(policy, number) + 1;
	if (policy->cold_hand == number + 1)
		policy->cold_hand = next == number + 1 ? 0 : next;
	if (policy->test_hand == number + 1)
		policy->test_hand = next == number + 1 ? 0 : next;
	frame_list_remove(clock_table(policy), &policy->clock, number);
}

/* Behind the hot hand. */
static void clock_insert(struct pagerd_policy *policy, uint32_t number)
{
	frame_list_push_tail(clock_table(policy), &policy->clock, number);
}

/* The hot hand goes on by one. */
static void clock_turn(struct pagerd_policy *policy)
{
	uint32_t number = frame_list_head(&policy->clock);
	if (!policy->cold_hand)
		policy->cold_hand = number + 1;
	if (!policy->test_hand)
		policy->test_hand = number + 1;
	frame_list_remove(clock_table(policy), &policy->clock, number);
	frame_list_push_tail(clock_table(policy), &policy->clock, number);
}

static uint32_t hand_at(const struct pagerd_policy *policy, uint32_t hand)
{
	return hand ? hand - 1 : frame_list_head(&policy->clock);
}

/* Put a ghost into the place of a frame, or the other way round. */
static void clock_replace(struct pagerd_policy *policy, uint32_t from, uint32_t to)
{
	frame_list_insert_before(clock_table(policy), &policy->clock, to, from);
	if (policy->cold_hand == from + 1)
		policy->cold_hand = to + 1;
	if (policy->test_hand == from + 1)
		policy->test_hand = to + 1;
	frame_list_remove(clock_table(policy), &policy->clock, from);
}

static void ghost_drop(struct pagerd_policy *policy, uint32_t number)
{
	uint32_t isolated = policy->ghosts.table[number].stamp;
	if (isolated)
		policy->frames[isolated - 1].stand_in = 0;
	clock_remove(policy, number);
	ghosts_remove(&policy->ghosts, number);
}

/* ---- the hands --------------------------------------------------------------------------- */

static void room_grow(struct pagerd_policy *policy)
{
	if (policy->room < policy->capacity)
		policy->room++;
}

static void room_shrink(struct pagerd_policy *policy)
{
	if (policy->room > 1)
		policy->room--;
}

/* The test period of a cold page or ghost ends; a ghost leaves the clock. */
static void test_end(struct pagerd_policy *policy, uint32_t number)
{
	if (is_ghost(policy, number)) {
		room_shrink(policy);
		ghost_drop(policy, number);
		return;
	}
	struct clock_frame *state = &policy->frames[number];
	if (state->test && !state->used)
		room_shrink(policy);
	state->test = false;
}

/* The hot hand passes a cold page or a ghost. */
static void hot_hand_pass(struct pagerd_policy *policy)
{
	uint32_t number = frame_list_head(&policy->clock);
	test_end(policy, number);
	if (!is_ghost(policy, number))
		clock_turn(policy);
}

static bool hot_hand_at_hot(const struct pagerd_policy *policy)
{
	uint32_t number = frame_list_head(&policy->clock);
	return !is_ghost(policy, number) && policy->frames[number].kind == HOT;
}

/* Make one hot page cold, and go on to the next; there is one. */
static void hot_hand_run(struct pagerd_policy *policy)
{
	for (bool found = false; !found;) {
		if (!hot_hand_at_hot(policy)) {
			hot_hand_pass(policy);
			continue;
		}
		struct clock_frame *state = &policy->frames[frame_list_head(&policy->clock)];
		found = !state->used;
		state->used = false;
		if (found) {
			state->kind = COLD;
			policy->hot--;
			policy->cold++;
		}
		clock_turn(policy);
	}
	while (policy->hot && !hot_hand_at_hot(policy))
		hot_hand_pass(policy);
}

/* The hand may find more room for hot pages on its way. */
static void hot_limit(struct pagerd_policy *policy)
{
	while (policy->hot && policy->hot + policy->room > policy->now)
		hot_hand_run(policy);
}

static void test_hand_run(struct pagerd_policy *policy)
{
	uint32_t number = hand_at(policy, policy->test_hand);
	while (!is_ghost(policy, number) && policy->frames[number].kind == HOT)
		number = clock_next(policy, number);
	policy->test_hand = clock_next(policy, number) + 1;
	test_end(policy, number);
}

static void clock_put(struct pagerd_policy *policy, uint32_t frame, bool hot)
{
	struct clock_frame *state = &policy->frames[frame];
	clock_insert(policy, frame);
	state->kind = hot ? HOT : COLD;
	state->test = !hot;
	state->used = false;
	if (!hot) {
		policy->cold++;
		return;
	}
	policy->hot++;
	room_grow(policy);
	hot_limit(policy);
}

/* The next victim, still in the clock. */
static uint32_t cold_hand_run(struct pagerd_policy *policy)
{
	for (;;) {
		if (!policy->cold)
			hot_hand_run(policy);
		uint32_t number = hand_at(policy, policy->cold_hand);
		if (is_ghost(policy, number) || policy->frames[number].kind != COLD) {
			policy->cold_hand = clock_next(policy, number) + 1;
			continue;
		}
		if (!policy->frames[number].used)
			return number;
		policy->cold--;
		clock_remove(policy, number);
		clock_put(policy, number, policy->frames[number].test);
	}
}

/* ---- the policy -------------------------------------------------------------------------- */

static void clock_pro_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	if (capacity_pages > policy->frame_limit)
		capacity_pages = policy->frame_limit;
	policy->capacity = policy->now = capacity_pages;
	if (policy->room > capacity_pages)
		policy->room = capacity_pages;
	while (policy->ghosts.count > capacity_pages)
		test_hand_run(policy);
}

static int clock_pro_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t cold = 1;
	const struct policy_parameter accepted[] = {{"cold", 1, 99, &cold}};
	int error = policy_parameters_parse(env, accepted, 1);
	if (error)
		return error;
	struct pagerd_policy *clock = calloc(1, sizeof *clock);
	if (!clock)
		return -ENOMEM;
	/* One too many of those that have left, and one for each frame that is isolated. */
	if (ghosts_init(&clock->ghosts, env->frame_limit, 2ull * env->frame_limit + 1)) {
		free(clock);
		return -ENOMEM;
	}
	clock->frames = env->frame_bytes;
	clock->frame_limit = env->frame_limit;
	clock->room = UINT32_MAX;
	clock_pro_resize(clock, env->capacity_pages);
	clock->room = queues_share(clock->capacity, cold);
	*policy = clock;
	return 0;
}

static void clock_pro_destroy(struct pagerd_policy *policy)
{
	if (policy)
		ghosts_finish(&policy->ghosts);
	free(policy);
}

static void clock_pro_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			      int prefetched)
{
	uint32_t ghost = ghosts_find(&policy->ghosts, page);
	if (ghost != GHOST_NONE)
		ghost_drop(policy, ghost);
	policy->ghosts.table[frame].page_low = (uint32_t)page;
	policy->ghosts.table[frame].page_high = (uint32_t)(page >> 32);
	policy->frames[frame].prefetched = prefetched;
	clock_put(policy, frame, ghost != GHOST_NONE);
}

/* Out of the clock, but for a ghost in its place while it is in its test period. */
static void clock_isolate(struct pagerd_policy *policy, uint32_t frame)
{
	struct clock_frame *state = &policy->frames[frame];
	const struct ghost *entry = &policy->ghosts.table[frame];
	if (state->test) {
		pagerd_page_t page = (pagerd_page_t)entry->page_high << 32 | entry->page_low;
		uint32_t ghost = ghosts_add(&policy->ghosts, page);
		policy->ghosts.table[ghost].stamp = frame + 1;
		state->stand_in = ghost + 1;
		clock_replace(policy, frame, ghost);
	} else {
		clock_remove(policy, frame);
	}
	state->kind = OUT;
	policy->cold--;
}

static uint32_t clock_pro_held(const struct pagerd_policy *policy)
{
	return policy->cold + policy->hot + policy->waiting;
}

static struct frame_table next_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static void next_remove(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_remove(next_table(policy), &policy->next, frame);
	policy->frames[frame].kind = OUT;
	policy->waiting--;
}

static uint32_t clock_pro_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0, held = clock_pro_held(policy);
	if (count > held)
		count = held;
	if (count) {
		policy->now = held - count + 1;
		hot_limit(policy);
	}
	while (taken < count) {
		uint32_t frame;
		if (policy->waiting) {
			frame = frame_list_head(&policy->next);
			next_remove(policy, frame);
		} else {
			frame = cold_hand_run(policy);
			clock_isolate(policy, frame);
		}
		frames[taken++] = frame;
	}
	return taken;
}

static void clock_pro_keep(struct pagerd_policy *policy, uint32_t frame)
{
	struct clock_frame *state = &policy->frames[frame];
	bool test = state->stand_in;
	if (test)
		ghost_drop(policy, state->stand_in - 1);
	clock_put(policy, frame, test && !state->prefetched);
	state->prefetched = false;
}

static void clock_pro_restore(struct pagerd_policy *policy, uint32_t frame)
{
	frame_list_push_head(next_table(policy), &policy->next, frame);
	policy->frames[frame].kind = NEXT;
	policy->waiting++;
}

static void clock_pro_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct clock_frame *state = &policy->frames[frame];
	if (state->kind == NEXT) {
		next_remove(policy, frame);
		clock_pro_keep(policy, frame);
	} else if (state->kind != OUT) {
		state->used = state->used || !state->prefetched;
		state->prefetched = false;
	}
}

static void clock_pro_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	struct clock_frame *state = &policy->frames[frame];
	policy_check(state->kind == OUT, frame, "a page that is evicted was isolated");
	if (!state->stand_in)
		return;
	policy->ghosts.table[state->stand_in - 1].stamp = 0;
	state->stand_in = 0;
	while (policy->ghosts.count > policy->capacity)
		test_hand_run(policy);
}

static void clock_pro_forget(struct pagerd_policy *policy, uint32_t frame)
{
	struct clock_frame *state = &policy->frames[frame];
	if (state->kind == HOT || state->kind == COLD) {
		*(state->kind == HOT ? &policy->hot : &policy->cold) -= 1;
		clock_remove(policy, frame);
		state->kind = OUT;
		return;
	}
	if (state->kind == NEXT)
		next_remove(policy, frame);
	if (state->stand_in)
		ghost_drop(policy, state->stand_in - 1);
}

static void clock_pro_cold(struct pagerd_policy *policy, uint32_t frame)
{
	clock_pro_forget(policy, frame);
	clock_pro_restore(policy, frame);
}

static uint64_t clock_pro_ghosts(const struct pagerd_policy *policy)
{
	return policy->ghosts.count;
}

static uint64_t clock_pro_metadata_bytes(const struct pagerd_policy *policy)
{
	return ghosts_bytes(&policy->ghosts) +
	       clock_pro_held(policy) * sizeof *policy->ghosts.table;
}

const struct pagerd_policy_ops pagerd_policy_clock_pro = {
	.version = PAGERD_POLICY_VERSION,
	.name = "clock-pro",
	.summary = "lirs as a clock with three hands (Jiang, Chen, Zhang 2005)",
	.frame_bytes = sizeof(struct clock_frame),
	.create = clock_pro_create,
	.destroy = clock_pro_destroy,
	.page_in = clock_pro_page_in,
	.referenced = clock_pro_referenced,
	.victims = clock_pro_victims,
	.keep = clock_pro_keep,
	.restore = clock_pro_restore,
	.page_out = clock_pro_page_out,
	.forget = clock_pro_forget,
	.cold = clock_pro_cold,
	.resize = clock_pro_resize,
	.held = clock_pro_held,
	.ghosts = clock_pro_ghosts,
	.metadata_bytes = clock_pro_metadata_bytes,
};
