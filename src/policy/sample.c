/* SPDX-License-Identifier: MIT */
/* A sample of the pages, on which candidate policies are simulated. */
#include "policy/sample.h"

#include <errno.h>

#include "reserve.h"

#define HASH_RANGE (1ull << 32)

static uint64_t frames_bytes(const struct sample *sample)
{
	return (uint64_t)sample->pages.limit * sizeof *sample->frames;
}

/* The share of the pages that makes the shadows' frames so many as are wanted. */
static void share_choose(struct sample *sample, uint32_t capacity_pages)
{
	if (capacity_pages <= sample->wanted)
		sample->threshold = HASH_RANGE;
	else
		sample->threshold = HASH_RANGE * sample->wanted / capacity_pages;
}

static uint32_t share_of(const struct sample *sample, uint32_t capacity_pages)
{
	uint64_t share = (capacity_pages * sample->threshold + HASH_RANGE / 2) / HASH_RANGE;
	return share ? (uint32_t)share : 1;
}

static int shadows_init(struct sample *sample, const struct candidates *candidates,
			const struct pagerd_policy_env *env)
{
	struct pagerd_policy_env own = *env;
	own.next_use = NULL;
	for (; sample->count < candidates->count; sample->count++) {
		const struct candidate *candidate = &candidates->list[sample->count];
		own.parameters = candidate->parameters;
		int error = shadow_init(&sample->shadows[sample->count], candidate->ops, &own,
					sample->most, sample->capacity);
		if (error)
			return error;
	}
	return 0;
}

int sample_init(struct sample *sample, const struct candidates *candidates,
		const struct pagerd_policy_env *env, uint32_t wanted)
{
	*sample = (struct sample){.wanted = wanted, .most = 2 * wanted};
	share_choose(sample, env->capacity_pages);
	sample->capacity = share_of(sample, env->capacity_pages);
	/* No shadow shares a page with another, and one page more is on its way in. */
	int error = ghosts_init(&sample->pages, 0, (uint64_t)candidates->count * sample->most + 1);
	if (error)
		return error;
	sample->frames = memory_reserve(frames_bytes(sample));
	error = sample->frames ? shadows_init(sample, candidates, env) : -ENOMEM;
	if (error)
		sample_finish(sample);
	return error;
}

void sample_finish(struct sample *sample)
{
	for (unsigned i = 0; i < sample->count; i++)
		shadow_finish(&sample->shadows[i]);
	memory_release(sample->frames, frames_bytes(sample));
	ghosts_finish(&sample->pages);
	*sample = (struct sample){0};
}

/* ---- pages ------------------------------------------------------------------------------- */

/* A page has left a shadow's frame. */
static void page_drop(struct sample *sample, uint32_t number, unsigned shadow)
{
	sample->frames[number][shadow] = 0;
	if (--sample->pages.table[number].value == 0)
		ghosts_remove(&sample->pages, number);
}

static void page_miss(struct sample *sample, pagerd_page_t page, uint32_t number, unsigned shadow)
{
	uint32_t out, frame = shadow_miss(&sample->shadows[shadow], page, number, &out);
	sample->frames[number][shadow] = frame + 1;
	sample->pages.table[number].value++;
	if (out != SHADOW_NONE)
		page_drop(sample, out, shadow);
}

uint32_t sample_use(struct sample *sample, pagerd_page_t page)
{
	uint32_t number = ghosts_find(&sample->pages, page), missed = 0;
	if (number == GHOST_NONE)
		number = ghosts_add(&sample->pages, page);
	for (unsigned i = 0; i < sample->count; i++) {
		uint32_t frame = sample->frames[number][i];
		if (frame) {
			shadow_hit(&sample->shadows[i], frame - 1);
		} else {
			missed |= 1u << i;
			page_miss(sample, page, number, i);
		}
	}
	return missed;
}

static void number_forget(struct sample *sample, uint32_t number)
{
	for (unsigned i = 0; i < sample->count; i++) {
		uint32_t frame = sample->frames[number][i];
		if (!frame)
			continue;
		shadow_forget(&sample->shadows[i], frame - 1);
		page_drop(sample, number, i);
	}
}

void sample_forget(struct sample *sample, pagerd_page_t page)
{
	uint32_t number = ghosts_find(&sample->pages, page);
	if (number != GHOST_NONE)
		number_forget(sample, number);
}

void sample_cold(struct sample *sample, pagerd_page_t page)
{
	uint32_t number = ghosts_find(&sample->pages, page);
	for (unsigned i = 0; number != GHOST_NONE && i < sample->count; i++) {
		const struct shadow *shadow = &sample->shadows[i];
		uint32_t frame = sample->frames[number][i];
		if (frame && shadow->ops->cold)
			shadow->ops->cold(shadow->policy, frame - 1);
	}
}

/* ---- the capacity ------------------------------------------------------------------------ */

static void capacity_set(struct sample *sample, uint32_t capacity)
{
	sample->capacity = capacity;
	for (unsigned i = 0; i < sample->count; i++) {
		uint32_t number;
		shadow_resize(&sample->shadows[i], capacity);
		while ((number = shadow_shrink(&sample->shadows[i])) != SHADOW_NONE)
			page_drop(sample, number, i);
	}
}

/* Empty all shadows: each of their pages is in the table. */
static void pages_clear(struct sample *sample)
{
	for (uint32_t number = 0; number < sample->pages.fresh; number++)
		number_forget(sample, number);
}

/* A share that still gives a sensible number of frames stays, and with it all that was learned. */
bool sample_resize(struct sample *sample, uint32_t capacity_pages)
{
	uint32_t capacity = share_of(sample, capacity_pages);
	bool whole = sample->threshold == HASH_RANGE;
	if (capacity <= sample->most && (whole || capacity > sample->wanted / 2)) {
		capacity_set(sample, capacity);
		return false;
	}
	pages_clear(sample);
	share_choose(sample, capacity_pages);
	capacity_set(sample, share_of(sample, capacity_pages));
	return true;
}

double sample_pages_each(const struct sample *sample)
{
	return (double)HASH_RANGE / (double)sample->threshold;
}

uint64_t sample_bytes(const struct sample *sample)
{
	uint64_t bytes =
		ghosts_bytes(&sample->pages) + sample->pages.count * sizeof *sample->frames;
	for (unsigned i = 0; i < sample->count; i++)
		bytes += shadow_bytes(&sample->shadows[i]);
	return bytes;
}
