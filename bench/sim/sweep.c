/* SPDX-License-Identifier: MIT */
/* The hand that collects what was used. */
#include "sweep.h"

#include <stdlib.h>

#define YOUNG	    8192u /* frames that wait for their first probe; a power of two */
#define YOUNG_GRACE 256u
#define BATCH_LEAST 48u
#define BATCH_MOST  512u
#define HAND_STEPS  1024u
#define GRACE_MOST  1024u
#define KEPT_MOST   512u /* in a row: then the victim goes, used or not */

bool sweep_init(struct sweep *sweep)
{
	sweep->ticks = calloc(sweep->frames, sizeof *sweep->ticks);
	sweep->probed = calloc(sweep->frames, sizeof *sweep->probed);
	sweep->aside = calloc(sweep->frames, sizeof *sweep->aside);
	sweep->given = calloc(sweep->frames, sizeof *sweep->given);
	sweep->young = calloc(YOUNG, sizeof *sweep->young);
	return sweep->ticks && sweep->probed && sweep->aside && sweep->given && sweep->young;
}

void sweep_finish(struct sweep *sweep)
{
	free(sweep->ticks);
	free(sweep->probed);
	free(sweep->aside);
	free(sweep->given);
	free(sweep->young);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void young_add(struct sweep *sweep, uint32_t frame)
{
	sweep->young[sweep->young_tail++ % YOUNG] =
		(struct sweep_young){frame, sweep->ticks[frame]};
	if (sweep->young_tail - sweep->young_head > YOUNG)
		sweep->young_head++;
}

void sweep_page_in(struct sweep *sweep, uint32_t frame)
{
	sweep->pages[frame] |= FRAME_MAPPED;
	sweep->probed[frame] = false;
	sweep->ticks[frame] = sweep->tick++;
	young_add(sweep, frame);
}

/* Tell the policy if it was used, and take its entries away. */
static void probe(struct sweep *sweep, uint32_t frame)
{
	if (sweep->probed[frame] && sweep->pages[frame] & FRAME_MAPPED) {
		sweep->used++;
		sweep->ops->referenced(sweep->policy, frame);
	}
	sweep->pages[frame] &= ~FRAME_MAPPED;
	sweep->probed[frame] = true;
}

static bool young_same(const struct sweep *sweep, uint32_t place, uint32_t freed)
{
	struct sweep_young young = sweep->young[place % YOUNG];
	return young.frame != freed && sweep->ticks[young.frame] == young.tick;
}

static bool young_ready(const struct sweep *sweep, uint32_t place, uint32_t freed)
{
	uint32_t age = sweep->tick - sweep->ticks[sweep->young[place % YOUNG].frame];
	return !young_same(sweep, place, freed) || age >= least(sweep->frames / 16, YOUNG_GRACE);
}

/* The first of the young: whether it was taken off the queue. */
static bool young_take(struct sweep *sweep, uint32_t freed, uint32_t *count)
{
	uint32_t place = sweep->young_head, frame = sweep->young[place % YOUNG].frame;
	if (!young_ready(sweep, place, freed))
		return false;
	sweep->young_head++;
	if (young_same(sweep, place, freed) && !sweep->probed[frame]) {
		probe(sweep, frame);
		++*count;
	}
	return true;
}

static void sweep_batch(struct sweep *sweep, uint32_t freed)
{
	uint32_t count = 0, most = sweep->debt ? BATCH_MOST / 2 : BATCH_MOST;
	while (count < most && sweep->young_debt && young_take(sweep, freed, &count))
		sweep->young_debt--;
	for (uint32_t i = 0; i < HAND_STEPS && sweep->debt && count < BATCH_MOST; i++) {
		uint32_t frame = sweep->hand;
		sweep->hand = frame + 1 < sweep->frames ? frame + 1 : 0;
		if (frame == freed)
			continue;
		sweep->debt--;
		sweep->looked++;
		count++;
		probe(sweep, frame);
	}
}

static bool batch_due(const struct sweep *sweep, uint32_t freed)
{
	uint32_t wanted = least(sweep->frames / 16, BATCH_LEAST) + 1;
	if (sweep->debt >= wanted)
		return true;
	uint32_t young = wanted - sweep->debt;
	return sweep->young_debt >= young &&
	       young_ready(sweep, sweep->young_head + young - 1, freed);
}

void sweep_page_out(struct sweep *sweep, uint32_t frame)
{
	uint32_t waiting = sweep->young_tail - sweep->young_head;
	if (sweep->ops->references == PAGERD_REFERENCES_NONE)
		return;
	sweep->young_debt = least(sweep->young_debt + 2, waiting);
	sweep->debt = least(sweep->debt + sweep->batch, sweep->frames);
	if (batch_due(sweep, frame))
		sweep_batch(sweep, frame);
}

static bool victim_used(const struct sweep *sweep, uint32_t frame)
{
	return sweep->ops->references == PAGERD_REFERENCES_ALL && sweep->probed[frame] &&
	       sweep->pages[frame] & FRAME_MAPPED;
}

static bool victim_fresh(const struct sweep *sweep, uint32_t frame)
{
	return sweep->tick - sweep->ticks[frame] < least(sweep->frames / 4, GRACE_MOST);
}

static void victim_keep(struct sweep *sweep, uint32_t frame)
{
	sweep->probed[frame] = false;
	sweep->kept++;
	young_add(sweep, frame);
	sweep->ops->keep(sweep->policy, frame);
}

static void victim_aside(struct sweep *sweep, uint32_t frame, uint32_t *aside)
{
	sweep->aside[(*aside)++] = frame;
	sweep->given[frame] = true;
}

static void aside_restore(struct sweep *sweep, uint32_t aside)
{
	while (aside) {
		uint32_t frame = sweep->aside[--aside];
		sweep->given[frame] = false;
		sweep->ops->restore(sweep->policy, frame);
	}
}

uint32_t sweep_victim(struct sweep *sweep, uint32_t *frame)
{
	uint32_t kept = 0, aside = 0, picked;
	while ((picked = sweep->ops->victims(sweep->policy, frame, 1)) == 1 &&
	       *frame < sweep->frames) {
		if (sweep->given[*frame]) {
			sweep->twice = true;
			return picked;
		}
		if (kept < KEPT_MOST && victim_used(sweep, *frame)) {
			victim_keep(sweep, *frame);
			kept++;
		} else if (victim_fresh(sweep, *frame)) {
			victim_aside(sweep, *frame, &aside);
		} else {
			break;
		}
	}
	aside_restore(sweep, aside);
	return picked ? picked : sweep->ops->victims(sweep->policy, frame, 1);
}
