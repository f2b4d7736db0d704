/* SPDX-License-Identifier: MIT */
/* Real frames that several policies hold in turn. */
#include "policy/relay.h"

#include <errno.h>

#include "pagerd/policy_list.h"
#include "policy/victims.h"
#include "reserve.h"

struct relay_asker {
	struct relay *relay;
	uint32_t number;
};

static int instance_init(struct relay_instance *instance, const struct candidate *candidate,
			 const struct pagerd_policy_env *env)
{
	struct pagerd_policy_env own = *env;
	instance->ops = candidate->ops;
	instance->bytes = (uint64_t)env->frame_limit * candidate->ops->frame_bytes + 1;
	instance->frame_bytes = memory_reserve(instance->bytes);
	if (!instance->frame_bytes)
		return -ENOMEM;
	own.parameters = candidate->parameters;
	own.frame_bytes = instance->frame_bytes;
	own.next_use = NULL; /* nobody can choose by what only the future tells */
	return candidate->ops->create(&instance->policy, &own);
}

int relay_init(struct relay *relay, const struct candidates *candidates,
	       const struct pagerd_policy_env *env)
{
	*relay = (struct relay){
		.frames = env->frame_bytes,
		.old = RELAY_NOBODY,
		.capacity_pages = env->capacity_pages,
		.frame_limit = env->frame_limit,
	};
	while (relay->count < candidates->count) {
		unsigned i = relay->count++;
		int error = instance_init(&relay->instances[i], &candidates->list[i], env);
		if (error) {
			relay_finish(relay);
			return error;
		}
	}
	return 0;
}

void relay_finish(struct relay *relay)
{
	for (unsigned i = 0; i < relay->count; i++) {
		struct relay_instance *instance = &relay->instances[i];
		instance->ops->destroy(instance->policy);
		memory_release(instance->frame_bytes, instance->bytes);
	}
	relay->count = 0;
}

static struct relay_instance *holder_of(struct relay *relay, uint32_t frame)
{
	return &relay->instances[relay->frames[frame].holder - 1];
}

static struct relay_instance *current_of(struct relay *relay)
{
	return &relay->instances[relay->current];
}

/* ---- their victims ----------------------------------------------------------------------- */

static bool take(void *context, uint32_t frame)
{
	const struct relay_asker *asker = context;
	struct relay_frame *state = &asker->relay->frames[frame];
	if (state->holder != asker->number + 1 || state->isolated)
		return false;
	state->isolated = 1;
	return true;
}

/* Isolated ones of the instance. */
static uint32_t instance_victims(struct relay *relay, uint32_t number, uint32_t *frames,
				 uint32_t count)
{
	char why[80];
	const struct relay_instance *instance = &relay->instances[number];
	struct relay_asker asker = {relay, number};
	const struct victims victims = {instance->ops, instance->policy, relay->frame_limit, take,
					&asker};
	uint32_t taken = victims_ask(&victims, frames, count, why, sizeof why);
	relay->broken |= why[0];
	return taken;
}

/* ---- moving ------------------------------------------------------------------------------ */

/* A frame that nobody else holds comes to the current instance. */
static void frame_enter(struct relay *relay, uint32_t frame)
{
	struct relay_instance *current = current_of(relay);
	struct relay_frame *state = &relay->frames[frame];
	state->holder = (uint8_t)(relay->current + 1);
	state->isolated = 0;
	current->ops->page_in(current->policy, frame, relay_page(relay, frame), state->prefetched);
	for (unsigned i = 0; i < state->uses; i++)
		current->ops->referenced(current->policy, frame);
}

static void frames_move(struct relay *relay)
{
	struct relay_instance *old = &relay->instances[relay->old];
	uint32_t frames[RELAY_MOVES];
	uint32_t count = instance_victims(relay, relay->old, frames, RELAY_MOVES);
	for (uint32_t i = 0; i < count; i++) {
		old->ops->forget(old->policy, frames[i]);
		frame_enter(relay, frames[i]);
	}
	if (count < RELAY_MOVES)
		relay->old = RELAY_NOBODY;
}

static inline void relay_step(struct relay *relay)
{
	if (__builtin_expect(relay_is_moving(relay), 0))
		frames_move(relay);
}

void relay_switch(struct relay *relay, uint32_t to)
{
	policy_check(!relay_is_moving(relay), to, "frames move from one policy at a time");
	const struct relay_instance *next = &relay->instances[to];
	relay->old = relay->current;
	relay->current = to;
	/* Told again, because pages come now without others that leave for them. */
	if (next->ops->resize)
		next->ops->resize(next->policy, relay->capacity_pages);
}

/* ---- the next victims -------------------------------------------------------------------- */

static struct frame_table relay_table(const struct relay *relay)
{
	return (struct frame_table){relay->frames, sizeof *relay->frames};
}

static bool frame_is_next(const struct relay *relay, uint32_t frame)
{
	return frame_is_linked(relay_table(relay), frame);
}

static void next_push(struct relay *relay, uint32_t frame)
{
	frame_list_push_head(relay_table(relay), &relay->next, frame);
	relay->next_count++;
}

static void next_remove(struct relay *relay, uint32_t frame)
{
	frame_list_remove(relay_table(relay), &relay->next, frame);
	relay->next_count--;
}

/* ---- what happens to frames -------------------------------------------------------------- */

void relay_page_in(struct relay *relay, uint32_t frame, pagerd_page_t page, bool prefetched)
{
	struct relay_frame *state = &relay->frames[frame];
	relay_step(relay);
	state->page_low = (uint32_t)page;
	state->page_high = (uint32_t)(page >> 32);
	state->prefetched = prefetched;
	state->uses = 0;
	relay->resident++;
	frame_enter(relay, frame);
}

/* A frame that is isolated from its instance stays, and is no longer among the next victims. */
static void frame_stay(struct relay *relay, uint32_t frame)
{
	struct relay_instance *holder = holder_of(relay, frame);
	relay->frames[frame].isolated = 0;
	if (holder == current_of(relay)) {
		holder->ops->keep(holder->policy, frame);
		return;
	}
	holder->ops->forget(holder->policy, frame);
	frame_enter(relay, frame);
}

void relay_use(struct relay *relay, uint32_t frame)
{
	struct relay_instance *holder = holder_of(relay, frame);
	struct relay_frame *state = &relay->frames[frame];
	if (state->uses < RELAY_USES)
		state->uses += !state->prefetched;
	state->prefetched = 0;
	if (__builtin_expect(frame_is_next(relay, frame), 0)) {
		next_remove(relay, frame);
		frame_stay(relay, frame);
	} else {
		holder->ops->referenced(holder->policy, frame);
	}
	relay_step(relay);
}

/* One that takes over later does not hear of it. */
void relay_dirtied(struct relay *relay, uint32_t frame)
{
	struct relay_instance *holder = holder_of(relay, frame);
	if (holder->ops->dirtied && !frame_is_next(relay, frame))
		holder->ops->dirtied(holder->policy, frame);
}

uint32_t relay_victims(struct relay *relay, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	if (relay->resident > relay->pressed)
		relay->pressed = relay->resident;
	while (taken < count && relay->next_count) {
		frames[taken] = frame_list_head(&relay->next);
		next_remove(relay, frames[taken++]);
	}
	if (taken < count && relay_is_moving(relay))
		taken += instance_victims(relay, relay->old, frames + taken, count - taken);
	if (taken < count)
		taken += instance_victims(relay, relay->current, frames + taken, count - taken);
	relay_step(relay);
	if (relay->broken && count)
		frames[taken ? taken - 1 : taken++] = RELAY_NOBODY;
	return taken;
}

void relay_keep(struct relay *relay, uint32_t frame)
{
	relay->frames[frame].prefetched = 0;
	frame_stay(relay, frame);
}

void relay_restore(struct relay *relay, uint32_t frame)
{
	next_push(relay, frame);
}

void relay_page_out(struct relay *relay, uint32_t frame)
{
	struct relay_instance *holder = holder_of(relay, frame);
	policy_check(relay->frames[frame].isolated && !frame_is_next(relay, frame), frame,
		     "a page that is evicted was isolated");
	relay->frames[frame].holder = 0;
	relay->resident--;
	holder->ops->page_out(holder->policy, frame);
}

void relay_forget(struct relay *relay, uint32_t frame)
{
	struct relay_instance *holder = holder_of(relay, frame);
	if (frame_is_next(relay, frame))
		next_remove(relay, frame);
	relay->frames[frame].holder = 0;
	relay->resident--;
	holder->ops->forget(holder->policy, frame);
}

/* Its instance isolates it as its next victim, if it can. */
static bool frame_isolate(struct relay *relay, uint32_t frame)
{
	struct relay_instance *holder = holder_of(relay, frame);
	uint32_t picked;
	if (!holder->ops->cold)
		return false;
	holder->ops->cold(holder->policy, frame);
	if (!instance_victims(relay, (uint32_t)(holder - relay->instances), &picked, 1))
		return false;
	if (picked == frame)
		return true;
	relay->frames[picked].isolated = 0;
	holder->ops->restore(holder->policy, picked);
	return false;
}

void relay_cold(struct relay *relay, uint32_t frame)
{
	if (frame_is_next(relay, frame))
		next_remove(relay, frame);
	else if (!frame_isolate(relay, frame))
		return;
	next_push(relay, frame);
}

uint32_t relay_pressed(struct relay *relay)
{
	uint32_t pressed = relay->pressed;
	relay->pressed = 0;
	return pressed;
}

/* ---- all of them ------------------------------------------------------------------------- */

void relay_resize(struct relay *relay, uint32_t capacity_pages)
{
	relay->capacity_pages = capacity_pages;
	for (unsigned i = 0; i < relay->count; i++) {
		struct relay_instance *instance = &relay->instances[i];
		if (instance->ops->resize)
			instance->ops->resize(instance->policy, capacity_pages);
	}
}

uint32_t relay_held(const struct relay *relay)
{
	uint32_t held = relay->next_count;
	for (unsigned i = 0; i < relay->count; i++)
		held += relay->instances[i].ops->held(relay->instances[i].policy);
	return held;
}

uint64_t relay_ghosts(const struct relay *relay)
{
	uint64_t ghosts = 0;
	for (unsigned i = 0; i < relay->count; i++) {
		const struct relay_instance *instance = &relay->instances[i];
		if (instance->ops->ghosts)
			ghosts += instance->ops->ghosts(instance->policy);
	}
	return ghosts;
}

/* Those that hold nothing have touched what they held once. */
uint64_t relay_bytes(const struct relay *relay)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < relay->count; i++) {
		const struct relay_instance *instance = &relay->instances[i];
		bytes += (uint64_t)instance->ops->held(instance->policy) *
			 instance->ops->frame_bytes;
		if (instance->ops->metadata_bytes)
			bytes += instance->ops->metadata_bytes(instance->policy);
	}
	return bytes;
}
