/* SPDX-License-Identifier: MIT */
/* Pools: sets of frames, each under one limit with one policy. */
#include "pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* Each pool costs address space, and every turn of the loop a look: one user, root apart, cannot
 * have all of them. */
#define POOL_USER_MAX (POOL_MAX / 4)

void pools_init(struct pager *pager)
{
	pager->pools[0].active = true;
	pager->pools[0].unit = pager->config.unit ? pager->config.unit : 1;
	pager->pool_end = 1;
}

static void pool_finish(struct pool *pool)
{
	if (pool->ops)
		pool->ops->destroy(pool->policy);
	memory_release(pool->policy_bytes, pool->policy_bytes_size);
	memset(pool, 0, sizeof *pool);
}

void pools_finish(struct pager *pager)
{
	pools_tell(pager);
	for (uint32_t i = 0; i < pager->pool_end; i++) {
		share_close(pager, i);
		pool_finish(&pager->pools[i]);
	}
}

uint32_t pool_number(const struct client *client, const struct object *object)
{
	if (object && object->pool)
		return object->pool;
	return client ? client->pool : 0;
}

struct pool *pool_of(struct pager *pager, const struct client *client, const struct object *object)
{
	return &pager->pools[pool_number(client, object)];
}

struct pool *pool_of_region(struct pager *pager, const struct region *region)
{
	struct object *object = object_behind(pager, object_lookup(pager, region->object));
	return pool_of(pager, client_lookup(pager, region->client), object);
}

void pool_describe(const struct pool *pool, char *text, size_t bytes)
{
	if (pool->ops->current)
		snprintf(text, bytes, "%s (%s)", pool->spec, pool->ops->current(pool->policy));
	else
		snprintf(text, bytes, "%s", pool->spec);
}

uint32_t pool_capacity(const struct pager *pager, const struct pool *pool)
{
	return pool->limit_pages && pool->limit_pages < pager->budget_pages ? pool->limit_pages
									    : pager->budget_pages;
}

uint32_t pool_share(const struct pager *pager, uint32_t number)
{
	return number ? pager->pools[number].limit_pages : pager->budget_pages;
}

uint64_t pool_limit(const struct pager *pager, uint32_t number)
{
	const struct bank *bank = pager->pools[number].share.account.bank;
	return bank ? bank_total(bank) : pool_share(pager, number);
}

/* ---- policies ---------------------------------------------------------------------------- */

static void policy_noted(void *context)
{
	struct pager *pager = context;
	pager->noted = true;
}

void pools_tell(struct pager *pager)
{
	char text[512];
	for (uint32_t i = 0; pager->noted && i < pager->pool_end; i++) {
		const struct pool *pool = &pager->pools[i];
		while (pool->active && pool->policy && pool->ops->note &&
		       pool->ops->note(pool->policy, text, sizeof text))
			pager->config.note(text);
	}
	pager->noted = false;
}

/* Give a pool that has none a policy. */
static int policy_make(struct pager *pager, struct pool *pool, const char *spec, char *why,
		       size_t why_bytes)
{
	char wrong[120] = "";
	const char *parameters;
	const struct pagerd_policy_ops *ops = pagerd_policy_find(spec, &parameters);
	if (!ops) {
		snprintf(why, why_bytes, "there is no policy '%s'", spec);
		return -EINVAL;
	}
	if (strlen(spec) >= sizeof pool->spec) {
		snprintf(why, why_bytes, "policy: '%.40s...' is too long (at most %zu bytes)", spec,
			 sizeof pool->spec - 1);
		return -EINVAL;
	}
	uint64_t size = (uint64_t)pager->frame_limit * (ops->frame_bytes ? ops->frame_bytes : 1);
	void *bytes = memory_reserve(size);
	if (!bytes)
		return -ENOMEM;
	struct pagerd_policy_env env = {
		.frame_limit = pager->frame_limit,
		.capacity_pages = pool_capacity(pager, pool),
		.frame_bytes = bytes,
		.parameters = parameters,
		.why = wrong,
		.why_bytes = sizeof wrong,
		.uses = pager->config.access_looks ? PAGERD_USES_SOME : PAGERD_USES_NONE,
		.noted = pager->config.note ? policy_noted : NULL,
		.noted_context = pager,
	};
	struct pagerd_policy *policy;
	int error = ops->create(&policy, &env);
	if (error) {
		memory_release(bytes, size);
		if (error == -EINVAL)
			snprintf(why, why_bytes, "policy %s: %s", ops->name, wrong);
		return error;
	}
	pool->ops = ops;
	pool->policy = policy;
	pool->policy_bytes = bytes;
	pool->policy_bytes_size = size;
	strcpy(pool->spec, spec);
	return 0;
}

int pool_try_policy(struct pager *pager, const char *spec, char *why, size_t why_bytes)
{
	struct pool trial = {.active = true};
	int error = policy_make(pager, &trial, spec, why, why_bytes);
	pool_finish(&trial);
	return error;
}

/* Frames that are isolated keep that state: their pages go, or come back by keep. */
static void pool_fill(struct pager *pager, uint32_t number, const struct pool *old)
{
	struct pool *pool = &pager->pools[number];
	/* In the old policy's own order, worst first, so that the new one starts from it. */
	uint32_t count = pool_take_all(pager, number, old, pager->aside);
	for (uint32_t i = 0; i < count; i++) {
		struct frame *frame = frame_get(pager, pager->aside[i]);
		frame->flags |= FRAME_HELD;
		pool->ops->page_in(pool->policy, pager->aside[i], frame->id, false);
	}
}

static int policy_switch(struct pager *pager, uint32_t number, const char *spec, char *why,
			 size_t why_bytes)
{
	pools_tell(pager); /* before the old one goes */
	struct pool *pool = &pager->pools[number], old = *pool;
	int error = policy_make(pager, pool, spec, why, why_bytes);
	if (error || !old.ops)
		return error;
	pool_fill(pager, number, &old);
	old.ops->destroy(old.policy);
	memory_release(old.policy_bytes, old.policy_bytes_size);
	return 0;
}

int pool_set_policy(struct pager *pager, uint32_t number, const char *spec, char *why,
		    size_t why_bytes)
{
	int error = policy_switch(pager, number, spec, why, why_bytes);
	if (error)
		return error;
	pager->pools[number].policy_own = true;
	for (uint32_t i = 1; number == 0 && i < pager->pool_end; i++)
		if (pager->pools[i].active && !pager->pools[i].policy_own)
			policy_switch(pager, i, spec, why, why_bytes);
	return 0;
}

/* ---- who has one ------------------------------------------------------------------------- */

static uint32_t frame_home(struct pager *pager, const struct frame *frame)
{
	return pool_number(client_lookup(pager, frame->client),
			   object_lookup(pager, frame_object(frame)));
}

static int older_first(const void *a, const void *b, void *context)
{
	struct pager *pager = context;
	const struct frame *x = frame_get(pager, *(const uint32_t *)a);
	const struct frame *y = frame_get(pager, *(const uint32_t *)b);
	uint32_t age_x = pager->pools[x->pool].tick - x->tick;
	uint32_t age_y = pager->pools[y->pool].tick - y->tick;
	return age_x > age_y ? -1 : age_x < age_y;
}

/* Move all frames that are not at home there: those that came first, first. */
static void frames_settle(struct pager *pager)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < pager->frame_fresh; i++) {
		const struct frame *frame = frame_get(pager, i);
		if (frame_object(frame) && frame->pool != frame_home(pager, frame))
			pager->aside[count++] = i;
	}
	qsort_r(pager->aside, count, sizeof *pager->aside, older_first, pager);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = pager->aside[i];
		frame_move(pager, number, frame_home(pager, frame_get(pager, number)));
	}
	shortage_retry(pager);
}

static uint32_t pools_of_user(const struct pager *pager, uint32_t uid)
{
	uint32_t count = 0;
	for (uint32_t i = 1; i < pager->pool_end; i++)
		count += pager->pools[i].active && pager->pools[i].uid == uid;
	return count;
}

static int pool_create(struct pager *pager, uint32_t uid, uint32_t *number)
{
	char why[1];
	uint32_t i = 1;
	while (i < POOL_MAX && pager->pools[i].active)
		i++;
	if (i == POOL_MAX || (uid && pools_of_user(pager, uid) >= POOL_USER_MAX))
		return -ENOSPC;
	int error = policy_switch(pager, i, pager->pools[0].spec, why, sizeof why);
	if (error)
		return error;
	pager->pools[i].active = true;
	pager->pools[i].uid = uid;
	if (i >= pager->pool_end)
		pager->pool_end = i + 1;
	*number = i;
	return 0;
}

int pool_own(struct pager *pager, uint32_t *holder, uint32_t uid)
{
	if (*holder)
		return 0;
	int error = pool_create(pager, uid, holder);
	if (!error)
		frames_settle(pager);
	return error;
}

void pool_give_up(struct pager *pager, uint32_t *holder)
{
	uint32_t number = *holder;
	if (!number)
		return;
	*holder = 0;
	if (pager->pools[number].used_pages)
		frames_settle(pager);
	pools_tell(pager);
	share_close(pager, number);
	pool_finish(&pager->pools[number]);
}

void pool_leave(struct pager *pager, struct client *client)
{
	for (uint32_t i = 0; client->stats.resident_pages && i < pager->frame_fresh; i++) {
		struct frame *frame = frame_get(pager, i);
		if (!frame_object(frame) || frame->client != client->number)
			continue;
		frame->client = 0;
		client->stats.resident_pages--;
	}
	pool_give_up(pager, &client->pool);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void pool_resize(struct pager *pager, struct pool *pool)
{
	if (pool->ops && pool->ops->resize)
		pool->ops->resize(pool->policy, pool_capacity(pager, pool));
}

void pool_set_limit(struct pager *pager, uint32_t number, uint64_t limit_pages)
{
	struct pool *pool = &pager->pools[number];
	pool->limit_pages = limit_pages > UINT32_MAX ? UINT32_MAX : (uint32_t)limit_pages;
	pool_resize(pager, pool);
	shortage_retry(pager);
}

void budget_set(struct pager *pager, uint64_t pages)
{
	pager->budget_pages = pages > pager->frame_limit ? pager->frame_limit : (uint32_t)pages;
	for (uint32_t i = 0; i < pager->pool_end; i++)
		pool_resize(pager, &pager->pools[i]);
	shortage_retry(pager);
}
