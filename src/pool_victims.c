/* SPDX-License-Identifier: MIT */
/* Victims of a pool's policy, and the end of a policy that breaks its contract. */
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "policy/victims.h"

struct asker {
	struct pager *pager;
	uint32_t pool;
};

/* ---- nobody ------------------------------------------------------------------------------ */

static void nobody_destroy(struct pagerd_policy *policy)
{
}

static void nobody_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			   int prefetched)
{
}

static void nobody_hears(struct pagerd_policy *policy, uint32_t frame)
{
}

static uint32_t nobody_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	return 0;
}

static uint32_t nobody_held(const struct pagerd_policy *policy)
{
	return 0;
}

/* In the place of a policy whose state cannot be trusted: no code of that one runs again. */
static const struct pagerd_policy_ops nobody = {
	.name = "nobody",
	.references = PAGERD_REFERENCES_NONE,
	.destroy = nobody_destroy,
	.page_in = nobody_page_in,
	.referenced = nobody_hears,
	.victims = nobody_victims,
	.keep = nobody_hears,
	.restore = nobody_hears,
	.page_out = nobody_hears,
	.forget = nobody_hears,
	.held = nobody_held,
};

/* Nothing of the pool leaves from now on; whoever watches ends the pager. */
static void pool_break(struct pager *pager, struct pool *pool, const char *why)
{
	struct pager_request *watch = pager->watch;
	if (!pager->broken[0])
		snprintf(pager->broken, sizeof pager->broken, "policy %.70s: %s", pool->spec, why);
	pool->ops = &nobody;
	pager->watch = NULL;
	if (watch)
		policies_watch(pager, watch);
}

void policies_watch(struct pager *pager, struct pager_request *request)
{
	if (!pager->broken[0]) {
		pager->watch = request;
		return;
	}
	snprintf(request->why, sizeof request->why, "%s", pager->broken);
	request_done(request, 0);
}

bool pool_is_broken(const struct pool *pool)
{
	return pool->ops == &nobody;
}

/* ---- asking ------------------------------------------------------------------------------ */

static bool frame_is_held(const struct asker *asker, uint32_t number)
{
	const struct frame *frame = frame_get(asker->pager, number);
	return frame_object(frame) && frame->pool == asker->pool &&
	       (frame->flags & (FRAME_HELD | FRAME_RECLAIM)) == FRAME_HELD;
}

static bool take_isolated(void *context, uint32_t number)
{
	const struct asker *asker = context;
	if (!frame_is_held(asker, number))
		return false;
	frame_isolate(asker->pager, number, false);
	return true;
}

static bool take_away(void *context, uint32_t number)
{
	const struct asker *asker = context;
	if (!frame_is_held(asker, number))
		return false;
	frame_get(asker->pager, number)->flags &= (uint16_t)~FRAME_HELD;
	return true;
}

uint32_t pool_held(struct pager *pager, struct pool *pool)
{
	char why[80];
	uint32_t held = pool->ops->held(pool->policy);
	if (held <= pool->used_pages)
		return held;
	snprintf(why, sizeof why, "it says that it holds %u frames, of %u", held, pool->used_pages);
	pool_break(pager, pool, why);
	return 0;
}

uint32_t pool_victims(struct pager *pager, struct pool *pool, uint32_t *frames, uint32_t count)
{
	char why[80];
	struct asker asker = {pager, (uint32_t)(pool - pager->pools)};
	const struct victims victims = {pool->ops, pool->policy, pager->frame_limit, take_isolated,
					&asker};
	uint32_t taken = victims_ask(&victims, frames, count, why, sizeof why);
	if (!why[0])
		return taken;
	pool_break(pager, pool, why);
	while (taken)
		frame_restore(pager, frames[--taken]);
	return 0;
}

uint32_t pool_take_all(struct pager *pager, uint32_t number, const struct pool *old,
		       uint32_t *frames)
{
	char why[80], text[240];
	struct asker asker = {pager, number};
	const struct victims victims = {old->ops, old->policy, pager->frame_limit, take_away,
					&asker};
	uint32_t batch[PAGEOUT_BATCH], count = 0, taken;
	do {
		taken = victims_ask(&victims, batch, PAGEOUT_BATCH, why, sizeof why);
		memcpy(frames + count, batch, taken * sizeof *batch);
		count += taken;
	} while (taken && !why[0]);
	if (why[0]) {
		snprintf(text, sizeof text, "policy %s, which is given up: %s", old->spec, why);
		pager_tell(pager, text);
	}
	for (uint32_t i = 0; count < pager->pools[number].used_pages && i < pager->frame_fresh;
	     i++) {
		struct frame *frame = frame_get(pager, i);
		if (!frame_object(frame) || frame->pool != number || !(frame->flags & FRAME_HELD))
			continue;
		frame->flags &= (uint16_t)~FRAME_HELD;
		if (!(frame->flags & FRAME_RECLAIM))
			frames[count++] = i; /* it was kept back */
	}
	return count;
}
