/* SPDX-License-Identifier: MIT */
/*
 * random: any page leaves, each as likely as another.
 *
 * Source: L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM
 * Systems Journal 5(2), 1966 (RAND). Uses are ignored. The numbers are those of splitmix64 (G. L.
 * Steele, D. Lea, C. H. Flood, OOPSLA 2014), scaled by a multiplication, whose bias is below one
 * in a hundred. Pages that were restored or are advised cold leave before all others.
 *
 * Parameters: seed=N (1, the default): where the numbers begin.
 *
 * The frames are a dense array, in whose order nothing lies. It is kept in the per-frame bytes:
 * entry i lies with frame i, whichever frame it names.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_list.h"
#include "pagerd/policy_parameters.h"
#include "policy/policies.h"

struct random_frame {
	struct frame_link link; /* among the next victims */
	uint32_t place;		/* of this frame in the array + 1; 0: not in it */
	uint32_t entry;		/* of the array at this number */
};

struct pagerd_policy {
	struct random_frame *frames;
	struct frame_list next; /* the next victims */
	uint32_t length;	/* of the array */
	uint32_t held;
	uint64_t state;
};

static struct frame_table random_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static int random_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t seed = 1;
	const struct policy_parameter accepted[] = {{"seed", 0, UINT64_MAX, &seed}};
	int error = policy_parameters_parse(env, accepted, 1);
	if (error)
		return error;
	struct pagerd_policy *random = calloc(1, sizeof *random);
	if (!random)
		return -ENOMEM;
	random->frames = env->frame_bytes;
	random->state = seed;
	*policy = random;
	return 0;
}

static void random_destroy(struct pagerd_policy *policy)
{
	free(policy);
}

static uint32_t random_below(struct pagerd_policy *policy, uint32_t bound)
{
	uint64_t z = policy->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(((z ^ z >> 31) >> 32) * bound >> 32);
}

static void random_put(struct pagerd_policy *policy, uint32_t place, uint32_t frame)
{
	policy->frames[place].entry = frame;
	policy->frames[frame].place = place + 1;
}

static void random_keep(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!policy->frames[frame].place, frame, "a frame that comes is not held yet");
	random_put(policy, policy->length++, frame);
	policy->held++;
}

static void random_restore(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!policy->frames[frame].place, frame, "a frame that returns was isolated");
	frame_list_push_head(random_table(policy), &policy->next, frame);
	policy->held++;
}

static void random_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			   int prefetched)
{
	(void)page;
	(void)prefetched;
	random_keep(policy, frame);
}

/* What was to be the next victim and is used is one of all again. */
static void random_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	if (!frame_is_linked(random_table(policy), frame))
		return;
	frame_list_remove(random_table(policy), &policy->next, frame);
	policy->held--;
	random_keep(policy, frame);
}

static void random_forget(struct pagerd_policy *policy, uint32_t frame)
{
	struct random_frame *state = &policy->frames[frame];
	if (state->place) { /* the last one moves into the hole */
		random_put(policy, state->place - 1, policy->frames[--policy->length].entry);
		state->place = 0;
		policy->held--;
	} else if (frame_is_linked(random_table(policy), frame)) {
		frame_list_remove(random_table(policy), &policy->next, frame);
		policy->held--;
	}
}

static uint32_t random_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && policy->held) {
		uint32_t frame =
			frame_list_is_empty(&policy->next)
				? policy->frames[random_below(policy, policy->length)].entry
				: frame_list_head(&policy->next);
		random_forget(policy, frame);
		frames[taken++] = frame;
	}
	return taken;
}

static void random_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!policy->frames[frame].place, frame, "a page that is evicted was isolated");
}

static void random_cold(struct pagerd_policy *policy, uint32_t frame)
{
	random_forget(policy, frame);
	random_restore(policy, frame);
}

static uint32_t random_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_random = {
	.version = PAGERD_POLICY_VERSION,
	.name = "random",
	.summary = "any page, each as likely as another (Belady 1966); seed=N",
	.frame_bytes = sizeof(struct random_frame),
	.references = PAGERD_REFERENCES_NONE,
	.create = random_create,
	.destroy = random_destroy,
	.page_in = random_page_in,
	.referenced = random_referenced,
	.victims = random_victims,
	.keep = random_keep,
	.restore = random_restore,
	.page_out = random_page_out,
	.forget = random_forget,
	.cold = random_cold,
	.held = random_held,
};
