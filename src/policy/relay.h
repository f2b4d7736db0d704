/* SPDX-License-Identifier: MIT */
/*
 * Real frames that several policies hold in turn.
 *
 * Each policy has an instance, made at the start and for good. One is current: pages come in there.
 * After a switch the frames of the old one move to it, RELAY_MOVES at each call that says so below,
 * in the old one's order, worst first, as if they came in and were used as often as they were, up
 * to RELAY_USES times; until it has no more, victims are the old one's, so that nobody has to
 * choose among frames that have not come yet. An isolated frame belongs to the instance that picked
 * it, which is told how that ends; if the frame stays, and the instance is not the current one any
 * more, it moves too.
 *
 * Frames that were restored or are advised cold wait here, isolated from their instance, and are
 * the next victims, whoever is current and whatever is moving.
 *
 * All memory is reserved by relay_init.
 */
#ifndef PAGERD_POLICY_RELAY_H
#define PAGERD_POLICY_RELAY_H

#include <stdbool.h>

#include "pagerd/policy_list.h"
#include "policy/candidate.h"

#define RELAY_MOVES  8u /* frames at each call, at most */
#define RELAY_USES   7u /* counted of a frame, at most */
#define RELAY_NOBODY UINT32_MAX

struct relay_frame {
	struct frame_link link; /* among the next victims */
	uint32_t page_low, page_high;
	uint8_t holder; /* the instance's number + 1; 0: never heard of */
	uint8_t isolated;
	uint8_t prefetched; /* and not used since */
	uint8_t uses;	    /* since it came in, up to a bound */
};

struct relay_instance {
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	void *frame_bytes;
	uint64_t bytes;
};

struct relay {
	struct relay_frame *frames;
	uint32_t current;
	uint32_t old; /* whose frames are moving; or RELAY_NOBODY */
	uint32_t capacity_pages;
	uint32_t frame_limit;
	bool broken; /* an instance gave a victim that is not its own: so do we, from then on */
	struct frame_list next; /* the next victims */
	uint32_t next_count;
	uint32_t resident; /* frames that are held or isolated */
	uint32_t pressed;  /* how many there were when victims were asked for, at most */
	unsigned count;
	struct relay_instance instances[CANDIDATES_MOST];
};

/* env: the frames, of which frame_bytes are struct relay_frame. The first of the candidates is
 * current. 0, or -errno with nothing to finish. */
int relay_init(struct relay *relay, const struct candidates *candidates,
	       const struct pagerd_policy_env *env);
void relay_finish(struct relay *relay);

/* Of a frame that is held or isolated. */
static inline pagerd_page_t relay_page(const struct relay *relay, uint32_t frame)
{
	const struct relay_frame *state = &relay->frames[frame];
	return (pagerd_page_t)state->page_high << 32 | state->page_low;
}

static inline bool relay_knows(const struct relay *relay, uint32_t frame)
{
	return relay->frames[frame].holder;
}

/* Make another one current; nothing is moving. */
void relay_switch(struct relay *relay, uint32_t to);
static inline bool relay_is_moving(const struct relay *relay)
{
	return relay->old != RELAY_NOBODY;
}

/* How many frames there were at most when victims were asked for, since this was last called; 0:
 * nobody asked. */
uint32_t relay_pressed(struct relay *relay);

/* As in struct pagerd_policy_ops. Frames move at page_in, use and victims. */
void relay_page_in(struct relay *relay, uint32_t frame, pagerd_page_t page, bool prefetched);
void relay_use(struct relay *relay, uint32_t frame);
void relay_dirtied(struct relay *relay, uint32_t frame);
uint32_t relay_victims(struct relay *relay, uint32_t *frames, uint32_t count);
void relay_keep(struct relay *relay, uint32_t frame);
void relay_restore(struct relay *relay, uint32_t frame);
void relay_page_out(struct relay *relay, uint32_t frame);
void relay_forget(struct relay *relay, uint32_t frame);
void relay_cold(struct relay *relay, uint32_t frame);
void relay_resize(struct relay *relay, uint32_t capacity_pages);
uint32_t relay_held(const struct relay *relay);
uint64_t relay_ghosts(const struct relay *relay);
uint64_t relay_bytes(const struct relay *relay);

#endif
