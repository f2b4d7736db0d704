/* SPDX-License-Identifier: MIT */
/*
 * car: the two lists of arc as clocks, so that a use only sets a bit.
 *
 * Source: S. Bansal, D. S. Modha, "CAR: clock with adaptive replacement", FAST 2004. T1 and T2 are
 * clocks, for pages used once and more than once lately; B1 and B2 remember the pages that left
 * them. The hand of T1 sends pages that were used to T2. Misses of pages in B1 and B2 move the
 * target p of T1, which is a real number as in the paper.
 *
 * Order: the paper evicts, discards a ghost if there are too many, looks the page up, adapts p
 * and inserts; all but the first is done in page_in.
 *
 * Variant: the bit of a prefetched page stays clear at its first use. A page that is kept is one
 * that the hand of its clock passed.
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
	struct ghosts ghosts; /* value: B1 or B2 */
	struct frame_list lists[2];
	uint32_t counts[2];
	double p;
	uint32_t capacity;
	uint32_t frame_limit;
};

static void car_pop(struct pagerd_policy *policy, int list)
{
	ghosts_pop(&policy->ghosts, &policy->lists[list]);
	policy->counts[list]--;
}

/* With room left for so many pages that come. */
static void car_trim(struct pagerd_policy *policy, uint32_t room)
{
	const uint32_t *t = policy->queues.counts, *b = policy->counts;
	while (b[B1] && t[T1] + b[B1] + room > policy->capacity)
		car_pop(policy, B1);
	while (b[B2] && (uint64_t)t[T1] + t[T2] + b[B1] + b[B2] + room > 2ull * policy->capacity)
		car_pop(policy, B2);
}

static void car_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	policy->capacity =
		capacity_pages < policy->frame_limit ? capacity_pages : policy->frame_limit;
	if (policy->p > policy->capacity)
		policy->p = policy->capacity;
	car_trim(policy, 0);
}

/* Whether the hand of T1 is the one to move. */
static bool car_first(const struct pagerd_policy *policy)
{
	const uint32_t *t = policy->queues.counts;
	if (!t[T1] || !t[T2])
		return t[T1];
	return t[T1] >= (policy->p > 1 ? policy->p : 1);
}

/* The paper's replace. */
static uint32_t car_choose(struct pagerd_policy *policy)
{
	struct queues *queues = &policy->queues;
	for (;;) {
		uint32_t frame = queues_head(queues, car_first(policy) ? T1 : T2);
		if (!queues->frames[frame].uses)
			return frame;
		queues->frames[frame].uses = 0;
		queues_move(queues, T2, frame);
	}
}

static int car_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = policy_parameters_parse(env, NULL, 0);
	if (error)
		return error;
	struct pagerd_policy *car = calloc(1, sizeof *car);
	if (!car)
		return -ENOMEM;
	if (ghosts_init(&car->ghosts, 0, 2ull * env->frame_limit + 2)) {
		free(car);
		return -ENOMEM;
	}
	car->queues.frames = env->frame_bytes;
	car->queues.choose = car_choose;
	car->frame_limit = env->frame_limit;
	car_resize(car, env->capacity_pages);
	*policy = car;
	return 0;
}

static void car_destroy(struct pagerd_policy *policy)
{
	if (policy)
		ghosts_finish(&policy->ghosts);
	free(policy);
}

/* A ghost is missed. */
static void car_adapt(struct pagerd_policy *policy, uint32_t list)
{
	double b1 = policy->counts[B1], b2 = policy->counts[B2];
	if (list == B1)
		policy->p += b1 >= b2 ? 1 : b2 / b1;
	else
		policy->p -= b2 >= b1 ? 1 : b1 / b2;
	if (policy->p > policy->capacity)
		policy->p = policy->capacity;
	if (policy->p < 0)
		policy->p = 0;
}

static void car_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	uint32_t ghost = ghosts_find(&policy->ghosts, page);
	if (ghost == GHOST_NONE) {
		car_trim(policy, 1);
		queues_page_in(&policy->queues, T1, frame, page, prefetched);
		return;
	}
	uint32_t list = policy->ghosts.table[ghost].value;
	car_adapt(policy, list);
	ghosts_take(&policy->ghosts, &policy->lists[list], ghost);
	policy->counts[list]--;
	queues_page_in(&policy->queues, T2, frame, page, prefetched);
}

static void car_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct queued_frame *state = &policy->queues.frames[frame];
	if (state->queue == QUEUE_NEXT)
		queues_move(&policy->queues, state->home, frame);
	state->uses = !state->prefetched;
	state->prefetched = false;
}

static void car_keep(struct pagerd_policy *policy, uint32_t frame)
{
	struct queued_frame *state = &policy->queues.frames[frame];
	queues_push_tail(&policy->queues, state->prefetched ? state->home : T2, frame);
	state->uses = 0;
	state->prefetched = false;
}

static void car_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	int list = queues_evicted(&policy->queues, frame) == T1 ? B1 : B2;
	pagerd_page_t page = queues_page(&policy->queues, frame);
	if (policy->ghosts.count > 2 * policy->capacity)
		car_pop(policy, policy->counts[B2] ? B2 : B1);
	ghosts_push(&policy->ghosts, &policy->lists[list], page);
	policy->ghosts.table[frame_list_tail(&policy->lists[list])].value = (uint32_t)list;
	policy->counts[list]++;
}

static uint64_t car_ghosts(const struct pagerd_policy *policy)
{
	return policy->ghosts.count;
}

static uint64_t car_metadata_bytes(const struct pagerd_policy *policy)
{
	return ghosts_bytes(&policy->ghosts);
}

const struct pagerd_policy_ops pagerd_policy_car = {
	.version = PAGERD_POLICY_VERSION,
	.name = "car",
	.summary = "clocks for once and more, balanced by what was evicted (Bansal, Modha 2004)",
	.frame_bytes = sizeof(struct queued_frame),
	.create = car_create,
	.destroy = car_destroy,
	.page_in = car_page_in,
	.referenced = car_referenced,
	.victims = queues_victims,
	.keep = car_keep,
	.restore = queues_restore,
	.page_out = car_page_out,
	.forget = queues_forget,
	.cold = queues_cold,
	.resize = car_resize,
	.held = queues_held,
	.ghosts = car_ghosts,
	.metadata_bytes = car_metadata_bytes,
};
