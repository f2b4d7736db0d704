/* SPDX-License-Identifier: MIT */
/* Shadows: policies that are only simulated. */
#include "policy/shadow.h"

#include <errno.h>

#include "pagerd/policy_list.h"
#include "reserve.h"

static uint64_t table_bytes(const struct shadow *shadow)
{
	return (uint64_t)shadow->frames * sizeof *shadow->page_of;
}

/* At least one: a policy may have no state for each frame. */
static uint64_t state_bytes(const struct shadow *shadow)
{
	return (uint64_t)shadow->frames * shadow->ops->frame_bytes + 1;
}

int shadow_init(struct shadow *shadow, const struct pagerd_policy_ops *ops,
		const struct pagerd_policy_env *env, uint32_t frames, uint32_t capacity)
{
	*shadow = (struct shadow){
		.ops = ops,
		.frames = frames,
		.capacity = capacity,
		.free = SHADOW_NONE,
	};
	shadow->page_of = memory_reserve(table_bytes(shadow));
	shadow->frame_bytes = memory_reserve(state_bytes(shadow));
	struct pagerd_policy_env own = *env;
	own.frame_limit = frames;
	own.capacity_pages = capacity;
	own.frame_bytes = shadow->frame_bytes;
	int error = shadow->page_of && shadow->frame_bytes ? ops->create(&shadow->policy, &own)
							   : -ENOMEM;
	if (error)
		shadow_finish(shadow);
	return error;
}

void shadow_finish(struct shadow *shadow)
{
	if (shadow->policy)
		shadow->ops->destroy(shadow->policy);
	memory_release(shadow->page_of, table_bytes(shadow));
	memory_release(shadow->frame_bytes, state_bytes(shadow));
	*shadow = (struct shadow){0};
}

/* A frame for a page that comes, as long as not all are in use. */
static uint32_t frame_take(struct shadow *shadow)
{
	uint32_t frame = shadow->free;
	if (frame != SHADOW_NONE)
		shadow->free = shadow->page_of[frame];
	else
		frame = shadow->fresh++;
	shadow->used++;
	return frame;
}

static uint32_t frame_evict(struct shadow *shadow)
{
	uint32_t frame = SHADOW_NONE;
	uint32_t picked = shadow->ops->victims(shadow->policy, &frame, 1);
	policy_check(picked == 1 && frame < shadow->fresh, frame,
		     "a policy that holds frames has a victim");
	shadow->ops->page_out(shadow->policy, frame);
	return frame;
}

static void frame_give(struct shadow *shadow, uint32_t frame)
{
	shadow->page_of[frame] = shadow->free;
	shadow->free = frame;
	shadow->used--;
}

uint32_t shadow_miss(struct shadow *shadow, pagerd_page_t page, uint32_t number, uint32_t *out)
{
	uint32_t frame;
	*out = SHADOW_NONE;
	if (shadow->ops->demand)
		shadow->ops->demand(shadow->policy, page);
	if (shadow->used < shadow->capacity) {
		frame = frame_take(shadow);
	} else {
		frame = frame_evict(shadow);
		*out = shadow->page_of[frame];
	}
	shadow->page_of[frame] = number;
	shadow->ops->page_in(shadow->policy, frame, page, 0);
	return frame;
}

void shadow_forget(struct shadow *shadow, uint32_t frame)
{
	shadow->ops->forget(shadow->policy, frame);
	frame_give(shadow, frame);
}

void shadow_resize(struct shadow *shadow, uint32_t capacity)
{
	shadow->capacity = capacity;
	if (shadow->ops->resize)
		shadow->ops->resize(shadow->policy, capacity);
}

uint32_t shadow_shrink(struct shadow *shadow)
{
	if (shadow->used <= shadow->capacity)
		return SHADOW_NONE;
	uint32_t frame = frame_evict(shadow), number = shadow->page_of[frame];
	frame_give(shadow, frame);
	return number;
}

uint64_t shadow_bytes(const struct shadow *shadow)
{
	uint64_t bytes =
		(uint64_t)shadow->fresh * (sizeof *shadow->page_of + shadow->ops->frame_bytes);
	if (shadow->ops->metadata_bytes)
		bytes += shadow->ops->metadata_bytes(shadow->policy);
	return bytes;
}
