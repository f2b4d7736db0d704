/* SPDX-License-Identifier: MIT */
/* Settings: limit and policy of the daemon, of a client, of an object. */
#include "setting.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core.h"

/* What can be told without changing anything. */
static int setting_check(struct pager *pager, struct pager_request *request)
{
	bool memory = request->length && request->length != UINT64_MAX;
	uint64_t least = PAGER_BUDGET_MIN_BYTES;
	if (request->type == PAGER_SET) /* an object is in one shard only */
		least *= pager->config.shards;
	if (memory && request->length < least) {
		snprintf(request->why, sizeof request->why, "memory: at least %lu KiB",
			 least >> 10);
		return -EINVAL;
	}
	if (memory && request->length >> PAGE_SHIFT > pager->frame_limit) {
		snprintf(request->why, sizeof request->why,
			 "memory: more than the machine has (%u MiB)", pager->frame_limit >> 8);
		return -EINVAL;
	}
	return request->text
		       ? pool_try_policy(pager, request->text, request->why, sizeof request->why)
		       : 0;
}

static int set_daemon(struct pager *pager, struct pager_request *request)
{
	uint64_t pages = request->length >> PAGE_SHIFT;
	if (request->flags & SET_DEFAULT) {
		snprintf(request->why, sizeof request->why, "default: the daemon has no other");
		return -EINVAL;
	}
	int error = request->text ? pool_set_policy(pager, 0, request->text, request->why,
						    sizeof request->why)
				  : 0;
	if (!error && pages && !pager->config.bank)
		budget_set(pager, pages);
	if (!error && request->unit)
		pager->pools[0].unit = request->unit;
	return error;
}

static void set_limit(struct pager *pager, const struct pager_request *request, uint32_t pool)
{
	bool none = request->length == UINT64_MAX;
	if (request->bank && !none) {
		share_open(pager, pool, request->bank);
		return;
	}
	share_close(pager, pool);
	pool_set_limit(pager, pool, none ? 0 : request->length >> PAGE_SHIFT);
}

/* Of the client or object whose member holder is. */
static int set_pool(struct pager *pager, struct pager_request *request, uint32_t *holder,
		    uint32_t uid)
{
	if (request->flags & SET_DEFAULT) {
		pool_give_up(pager, holder);
		return 0;
	}
	bool had = *holder;
	int error = pool_own(pager, holder, uid);
	if (error == -ENOSPC)
		snprintf(request->why, sizeof request->why, "too many have settings of their own");
	if (!error && request->text)
		error = pool_set_policy(pager, *holder, request->text, request->why,
					sizeof request->why);
	if (error && !had)
		pool_give_up(pager, holder);
	if (!error && request->length)
		set_limit(pager, request, *holder);
	if (!error && request->unit)
		pager->pools[*holder].unit = request->unit;
	return error;
}

static int set_client(struct pager *pager, struct pager_request *request, struct client *client)
{
	bool pool =
		request->length || request->text || request->unit || request->flags & SET_DEFAULT;
	int error = pool ? set_pool(pager, request, &client->pool, client->uid) : 0;
	if (!error && request->learn)
		error = learn_join(pager, client, request->learn);
	return error;
}

/* ---- objects ----------------------------------------------------------------------------- */

static struct object *object_named(struct pager *pager, const struct pager_request *request)
{
	if (request->fd >= 0)
		return object_find_file(pager, request->fd);
	if (!request->client)
		return object_lookup(pager, object_inside(pager, request->object));
	const struct client *client = client_lookup(pager, request->client);
	const struct region *region = client ? region_lookup(client, request->address) : NULL;
	return region ? object_lookup(pager, region->object) : NULL;
}

static bool object_settable(struct pager *pager, const struct object *object, uint32_t uid)
{
	/* Private objects are guarded, and one client's. */
	bool shared = object->guarded && !object_is_private(object);
	return !uid || (object_user(pager, object) == uid && !shared);
}

/* Another user's object is as good as none: it is not for the asker to know. */
static int set_object(struct pager *pager, struct pager_request *request)
{
	struct object *object = object_named(pager, request);
	if (!object || object_unused(object) || !object_settable(pager, object, request->uid))
		return -ENOENT;
	return set_pool(pager, request, &object->pool, request->uid);
}

int setting_apply(struct pager *pager, struct pager_request *request)
{
	struct client *client = client_lookup(pager, request->client);
	int error = setting_check(pager, request);
	if (!error && !(request->flags & SET_CHECK)) {
		if (request->type == PAGER_SET_OBJECT)
			error = set_object(pager, request);
		else if (!request->client)
			error = set_daemon(pager, request);
		else
			error = client ? set_client(pager, request, client) : -ESRCH;
	}
	if (request->fd >= 0)
		close(request->fd);
	request->fd = -1;
	return error;
}
