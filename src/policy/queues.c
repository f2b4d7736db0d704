/* SPDX-License-Identifier: MIT */
/* Policies made of a few queues of frames. */
#include "policy/queues.h"

/* The first member of the struct pagerd_policy of all who use this. */
static struct queues *queues_of(struct pagerd_policy *policy)
{
	return (struct queues *)policy;
}

uint32_t queues_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	struct queues *queues = queues_of(policy);
	uint32_t taken = 0;
	while (taken < count && queues->held) {
		uint32_t frame = queues->counts[QUEUE_NEXT] ? queues_head(queues, QUEUE_NEXT)
							    : queues->choose(policy);
		queues_remove(queues, frame);
		frames[taken++] = frame;
	}
	return taken;
}

void queues_restore(struct pagerd_policy *policy, uint32_t frame)
{
	struct queues *queues = queues_of(policy);
	frame_list_push_head(queues_table(queues), &queues->lists[QUEUE_NEXT], frame);
	queues->frames[frame].queue = QUEUE_NEXT;
	queues->counts[QUEUE_NEXT]++;
	queues->held++;
}

void queues_forget(struct pagerd_policy *policy, uint32_t frame)
{
	struct queues *queues = queues_of(policy);
	if (queues->frames[frame].queue)
		queues_remove(queues, frame);
}

void queues_cold(struct pagerd_policy *policy, uint32_t frame)
{
	queues_remove(queues_of(policy), frame);
	queues_restore(policy, frame);
}

uint32_t queues_held(const struct pagerd_policy *policy)
{
	return ((const struct queues *)policy)->held;
}
