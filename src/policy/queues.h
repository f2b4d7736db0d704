/* SPDX-License-Identifier: MIT */
/*
 * Policies made of a few queues of frames.
 *
 * Such a policy's struct pagerd_policy begins with a struct queues, and its per-frame bytes are a
 * struct queued_frame. It moves frames among its queues, chooses victims, and leaves the rest of
 * the interface to the functions here: frames that were restored or are advised cold wait in a
 * queue of their own and leave before all others, and one that is isolated knows where it came
 * from.
 */
#ifndef PAGERD_POLICY_QUEUES_H
#define PAGERD_POLICY_QUEUES_H

#include "pagerd/policy.h"
#include "pagerd/policy_list.h"

enum {
	QUEUE_NONE, /* isolated, or never heard of */
	QUEUE_NEXT, /* the next victims */
	QUEUE_A,    /* the policy's own */
	QUEUE_B,
	QUEUE_C,
	QUEUES,
};

struct queued_frame {
	struct frame_link link;
	uint32_t page_low, page_high;
	uint8_t queue;	    /* where it is */
	uint8_t home;	    /* the policy's queue that it was put into last */
	uint8_t uses;	    /* for the policy */
	uint8_t prefetched; /* and not used since */
};

struct queues {
	struct queued_frame *frames;
	struct frame_list lists[QUEUES];
	uint32_t counts[QUEUES];
	uint32_t held;
	/* The next victim, still in its queue; there is a frame in one of the policy's own. */
	uint32_t (*choose)(struct pagerd_policy *policy);
};

static inline struct frame_table queues_table(const struct queues *queues)
{
	return (struct frame_table){queues->frames, sizeof *queues->frames};
}

/* A frame that is in no queue enters one at its tail (in as the last) or its head. */
static inline void queues_push_tail(struct queues *queues, unsigned queue, uint32_t frame)
{
	frame_list_push_tail(queues_table(queues), &queues->lists[queue], frame);
	queues->frames[frame].queue = queues->frames[frame].home = (uint8_t)queue;
	queues->counts[queue]++;
	queues->held++;
}

static inline void queues_remove(struct queues *queues, uint32_t frame)
{
	struct queued_frame *state = &queues->frames[frame];
	frame_list_remove(queues_table(queues), &queues->lists[state->queue], frame);
	queues->counts[state->queue]--;
	queues->held--;
	state->queue = QUEUE_NONE;
}

/* To the tail of a queue, from wherever it is. */
static inline void queues_move(struct queues *queues, unsigned queue, uint32_t frame)
{
	if (queues->frames[frame].queue)
		queues_remove(queues, frame);
	queues_push_tail(queues, queue, frame);
}

/* page comes in, at the tail of a queue. */
static inline void queues_page_in(struct queues *queues, unsigned queue, uint32_t frame,
				  pagerd_page_t page, bool prefetched)
{
	struct queued_frame *state = &queues->frames[frame];
	state->page_low = (uint32_t)page;
	state->page_high = (uint32_t)(page >> 32);
	state->uses = 0;
	state->prefetched = prefetched;
	queues_push_tail(queues, queue, frame);
}

static inline pagerd_page_t queues_page(const struct queues *queues, uint32_t frame)
{
	const struct queued_frame *state = &queues->frames[frame];
	return (pagerd_page_t)state->page_high << 32 | state->page_low;
}

/* The victim end. */
static inline uint32_t queues_head(const struct queues *queues, unsigned queue)
{
	return frame_list_head(&queues->lists[queue]);
}

/* A frame that is evicted was isolated; returns the queue that it came from. */
static inline unsigned queues_evicted(const struct queues *queues, uint32_t frame)
{
	const struct queued_frame *state = &queues->frames[frame];
	policy_check(!state->queue, frame, "a page that is evicted was isolated");
	return state->home;
}

/* percent of pages, rounded down, but at least 1. */
static inline uint32_t queues_share(uint32_t pages, uint64_t percent)
{
	uint64_t share = pages * percent / 100;
	return share ? (uint32_t)share : 1;
}

/* The policy's operations. */
uint32_t queues_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count);
void queues_restore(struct pagerd_policy *policy, uint32_t frame);
void queues_forget(struct pagerd_policy *policy, uint32_t frame);
void queues_cold(struct pagerd_policy *policy, uint32_t frame);
uint32_t queues_held(const struct pagerd_policy *policy);

#endif
