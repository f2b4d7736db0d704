/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <unistd.h>

#include "setting.h"

void request_done(struct pager_request *request, int error)
{
	request->error = error;
	request->done(request);
}

static void request_stats(struct pager *pager, struct pager_request *request,
			  const struct client *client)
{
	struct pagerd_stats stats;
	stats_fill(pager, client, &stats);
	if (!request->latency) {
		request->stats = stats;
		return;
	}
	stats_join(&request->stats, &stats);
	histogram_merge(request->latency, &client->latency);
}

void drain_check(struct pager *pager)
{
	if (pager->closing_objects)
		return;
	struct pager_request *request = pager->drains;
	pager->drains = NULL;
	while (request) {
		struct pager_request *next = request->next;
		request_done(request, 0);
		request = next;
	}
}

/* Whether the request is about private pages, with which the client's agent may be busy. */
static bool request_private(struct pager *pager, const struct pager_request *request,
			    const struct client *client)
{
	if (request->type == PAGER_UNMAP)
		return true; /* pages of any memory may be about to be zapped for access.h */
	if (request->type != PAGER_DISCARD && request->type != PAGER_OPEN)
		return false;
	for_each_overlap(client, request, i)
	{
		const struct region *region = client->regions[i];
		if (object_is_private(object_lookup(pager, region->object)))
			return true;
	}
	return false;
}

/* Requests of one client; 0 or -errno, and request->pending counts what it waits for. */
static int request_client(struct pager *pager, struct pager_request *request, struct client *client)
{
	switch (request->type) {
	case PAGER_CLIENT_UFFD: {
		int fd = request->fd, error = client_set_uffd(pager, client, fd);
		if (error)
			close(fd);
		else if (request->pid)
			client->pid = request->pid; /* it was added under its parent's */
		return error;
	}
	case PAGER_CLIENT_REMOVE:
		if (client_gone(client)) {
			client_remove(pager, client);
			return 0;
		}
		client->leaving = request;
		pager->leaving++;
		request->pending++; /* ended by client_reap */
		client_leave(pager, client);
		return 0;
	case PAGER_CLIENT_LEAVE:
		/* Who has gone leaves at once: a DRAIN that comes next is to find its files. */
		if (client_gone(client))
			client_remove(pager, client);
		else
			client_leave(pager, client);
		return 0;
	case PAGER_MAP:
		return request_map(pager, request, client);
	case PAGER_LET_GO:
		client_hold(pager, client, NULL);
		return 0;
	case PAGER_OPEN:
		return request_open(pager, request, client);
	case PAGER_REGISTER:
		return request_register(pager, request, client);
	case PAGER_UNMAP:
		if (!request_valid(request))
			return -EINVAL;
		request_sync_range(pager, request, client, false, true);
		return 0;
	case PAGER_SYNC:
		return request_sync(pager, request, client);
	case PAGER_DISCARD:
		return request_discard(pager, request, client);
	case PAGER_ADVISE:
		return request_advise(pager, request, client);
	case PAGER_WIRE:
		return request_wire(pager, request, client);
	case PAGER_FILE_BEGIN:
		return request_file_begin(pager, request, client);
	case PAGER_FILE_END:
		return request_file_end(pager, request, client);
	case PAGER_BOARD:
		return request_board(pager, request, client);
	case PAGER_AGENT:
		return agent_open(pager, client, request->fd, &request->fd);
	case PAGER_PAGEMAP:
		return client_set_pagemap(client, request->fd);
	case PAGER_FORK:
		return fork_start(pager, request);
	case PAGER_FORK_END:
		fork_end(pager, client);
		return 0;
	case PAGER_STATS:
		request_stats(pager, request, client);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Everything that the request waited for is done. */
static void request_finish(struct pager *pager, struct pager_request *request, int error)
{
	struct client *client = client_lookup(pager, request->client);
	pageout_settle(pager);
	if (client && request->again && !error) {
		request_start(pager, request);
		return;
	}
	if (client && request->type == PAGER_UNMAP && request_private(pager, request, client) &&
	    agent_wait(client, request))
		return;
	if (request->type == PAGER_UNMAP && client && request_valid(request)) {
		/* What could not be written stays dirty, and is tried again. */
		error = region_remove_range(pager, client, request->address,
					    request->address + request->length);
	}
	if (request->type == PAGER_FILE_BEGIN && client && client->writing)
		error = 0; /* what could not be written back stays dirty, and is kept */
	if (request->type == PAGER_FORK && !error)
		error = fork_finish(pager, request);
	if (request->type == PAGER_FORK && error && client)
		fork_end(pager, client); /* nobody is going to ask for that */
	request_done(request, error);
}

void request_part_done(struct pager *pager, struct pager_request *request, int error)
{
	if (error)
		request->error = error;
	if (!--request->pending)
		request_finish(pager, request, request->error);
}

/* Clients without a session whose processes have ended. */
void client_reap(struct pager *pager)
{
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (!client || !client->leaving || !client_gone(client))
			continue;
		struct pager_request *request = client->leaving;
		pager->leaving--;
		client_remove(pager, client);
		request_part_done(pager, request, 0);
	}
}

static int request_snapshot(struct pager *pager, struct pager_request *request)
{
	struct pager_snapshot *snapshot = snapshot_make(pager, request->flags, request->learn);
	if (!snapshot)
		return -ENOMEM;
	if (request->snapshot)
		return snapshot_join(request->snapshot, snapshot, pager->config.bank);
	request->snapshot = snapshot;
	return 0;
}

static bool request_global(struct pager *pager, struct pager_request *request, int *error)
{
	*error = 0;
	switch (request->type) {
	case PAGER_CLIENT_ADD:
		*error = client_add(pager, request->pid, request->uid, request->name, request->fd,
				    &request->client);
		if (*error && request->fd >= 0)
			close(request->fd);
		return true;
	case PAGER_SNAPSHOT:
		*error = request_snapshot(pager, request);
		return true;
	case PAGER_LEARN:
		*error = learn_start(pager, request);
		return true;
	case PAGER_LEARN_PAGES:
		*error = learn_pages(pager, request);
		return true;
	case PAGER_LEARN_END:
		learn_end(pager, request->learn);
		return true;
	case PAGER_CHECK:
		*error = invariant_check(pager) ? -EUCLEAN : 0;
		return true;
	case PAGER_SET:
	case PAGER_SET_OBJECT:
		*error = setting_apply(pager, request);
		return true;
	default:
		return false;
	}
}

void request_start(struct pager *pager, struct pager_request *request)
{
	int error;
	pageout_settle(pager); /* all pages are where the tables say */
	request->pending = 0;
	request->error = 0;
	request->again = false;
	request->nothing = false;
	request->why[0] = 0;
	if (request->type == PAGER_DRAIN) {
		request->next = pager->drains;
		pager->drains = request;
		cache_clear(pager);
		drain_check(pager);
		return;
	}
	if (request->type == PAGER_LISTEN) {
		listen_start(pager, request);
		return;
	}
	if (request->type == PAGER_WATCH) {
		policies_watch(pager, request);
		return;
	}
	if (request->type == PAGER_STOP) {
		pager->stop.request = request;
		pager->stopping = true;
		return;
	}
	if (request_global(pager, request, &error)) {
		request_done(request, error);
		return;
	}
	if (request->type == PAGER_FILE_CUT) {
		request->pending = 1;
		request_part_done(pager, request, request_file_cut(pager, request));
		return;
	}
	struct client *client = client_lookup(pager, request->client);
	if (!client) {
		if (request->fd >= 0 &&
		    (request->type == PAGER_MAP || request->type == PAGER_CLIENT_UFFD ||
		     request->type == PAGER_AGENT || request->type == PAGER_PAGEMAP ||
		     request->type == PAGER_FILE_BEGIN || request->type == PAGER_BOARD))
			close(request->fd);
		request_done(request, -ESRCH);
		return;
	}
	if (request_private(pager, request, client) && agent_wait(client, request))
		return;
	pager->latency.events++;
	request->pending = 1; /* this function's own part */
	error = request_client(pager, request, client);
	if (request->type == PAGER_MAP || request->type == PAGER_OPEN)
		client->held_read_only = request->read_only;
	request_part_done(pager, request, error);
}
