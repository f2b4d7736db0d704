/* SPDX-License-Identifier: MIT */
/* Clients: one address space each, with its userfaultfd. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "pagemap.h"

#define CLIENT_ROOM_MIN 16u
#define CLIENT_ROOM_MAX (1u << 24) /* numbers fit struct frame and the ring's data */
#define POISON_STEP	(1ull << 30)
#define POISON_TRIES	65536u /* in vain, of a region */

int client_table_init(struct pager *pager)
{
	pager->client_room = CLIENT_ROOM_MIN;
	pager->clients = calloc(pager->client_room, sizeof *pager->clients);
	return pager->clients ? 0 : -ENOMEM;
}

static void client_destroy(struct client *client)
{
	agent_finish(&client->agent);
	wired_finish(&client->wired);
	if (client->uffd >= 0)
		close(client->uffd);
	if (client->pagemap >= 0)
		close(client->pagemap);
	for (uint32_t i = 0; i < client->region_count; i++)
		free(client->regions[i]);
	free(client->regions);
	free(client);
}

void client_table_finish(struct pager *pager)
{
	for (uint32_t i = 1; pager->clients && i < pager->client_room; i++)
		if (pager->clients[i])
			client_destroy(pager->clients[i]);
	free(pager->clients);
}

struct client *client_lookup(struct pager *pager, uint32_t number)
{
	return number && number < pager->client_room ? pager->clients[number] : NULL;
}

struct client *client_lookup_same(struct pager *pager, uint32_t number, uint32_t generation)
{
	struct client *client = client_lookup(pager, number);
	return client && client->generation == generation ? client : NULL;
}

/* Make room for the number. */
static int client_table_grow(struct pager *pager, uint32_t number)
{
	uint32_t room = pager->client_room;
	if (number >= CLIENT_ROOM_MAX)
		return -EUSERS;
	while (room <= number)
		room *= 2;
	if (room == pager->client_room)
		return 0;
	struct client **clients = realloc(pager->clients, room * sizeof *clients);
	if (!clients)
		return -ENOMEM;
	memset(clients + pager->client_room, 0, (room - pager->client_room) * sizeof *clients);
	pager->clients = clients;
	pager->client_room = room;
	return 0;
}

static int client_enter(struct pager *pager, struct client *client, uint32_t number)
{
	if (client_lookup(pager, number))
		return -EEXIST;
	for (uint32_t i = 1; !number; i++)
		if (i == pager->client_room || !pager->clients[i])
			number = i;
	int error = client_table_grow(pager, number);
	if (error)
		return error;
	client->number = number;
	pager->clients[number] = client;
	return 0;
}

int client_poll(struct pager *pager, struct client *client)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	if (!sqe)
		return -EBUSY;
	io_uring_prep_poll_multishot(sqe, client->uffd, POLLIN);
	/* The generation tells late completions of a client that has gone. */
	io_uring_sqe_set_data64(
		sqe, ring_data(RING_UFFD, (uint64_t)client->generation << 24 | client->number));
	client->polled = true;
	return 0;
}

int client_set_uffd(struct pager *pager, struct client *client, int uffd)
{
	if (client->uffd >= 0)
		return -EALREADY;
	uint64_t features = record_on(pager) ? UFFD_FEATURE_THREAD_ID : 0;
	int error = uffd_api(uffd, UFFD_FEATURES_NEEDED | features);
	if (error)
		return error;
	client->uffd = uffd;
	error = client_poll(pager, client);
	if (error)
		client->uffd = -1;
	return error;
}

int client_add(struct pager *pager, uint32_t pid, uint32_t uid, const char *name, int uffd,
	       uint32_t *number)
{
	struct client *client = calloc(1, sizeof *client);
	if (!client)
		return -ENOMEM;
	client->pid = pid;
	client->uid = uid;
	client->uffd = client->pagemap = -1;
	agent_init(&client->agent);
	client->stats.size = sizeof client->stats;
	strncpy(client->name, name, sizeof client->name - 1);
	client->generation = ++pager->client_generation & 0xffffffff;
	int error = client_enter(pager, client, *number);
	if (!error && uffd >= 0)
		error = client_set_uffd(pager, client, uffd);
	if (error) {
		if (client->number)
			pager->clients[client->number] = NULL;
		client_destroy(client);
		return error;
	}
	pager->clients_ever++;
	*number = client->number;
	return 0;
}

void client_hold(struct pager *pager, struct client *client, struct object *object)
{
	struct object *old = client->held;
	client->held = object;
	if (object)
		object->holds++;
	if (old) {
		old->holds--;
		object_release(pager, old);
	}
}

/* The kernel stops at each page that is there, does nothing while the address space changes, and
 * takes no range that reaches beyond one of its mappings, of which a region may have several. */
static void region_poison(int uffd, const struct region *region)
{
	uint64_t at = region->start, step = POISON_STEP, done;
	bool lifted = !uffd_protect(uffd, at, region->end - at, false);
	int error = 0;
	for (unsigned vain = 0; at < region->end && error != -ESRCH && vain < POISON_TRIES;) {
		uint64_t left = region->end - at, length = left < step ? left : step;
		error = uffd_poison(uffd, at, length, &done);
		if (error == -EEXIST && !lifted)
			uffd_poison_page(uffd, at);
		vain += error && error != -EEXIST && !done;
		if (error == -ENOENT && length > PAGE_BYTES)
			step = length / 2 & ~(uint64_t)(PAGE_BYTES - 1);
		else if (error == -EEXIST || error == -ENOENT)
			at += PAGE_BYTES;
		else if (done && step < POISON_STEP)
			step *= 2;
		at += done;
	}
	uffd_wake(uffd, region->start, region->end - region->start);
}

void client_poison(struct client *client)
{
	for (uint32_t i = 0; i < client->region_count; i++)
		if (client->regions[i]->registered)
			region_poison(client->uffd, client->regions[i]);
}

int client_set_pagemap(struct client *client, int fd)
{
	int error = client->pagemap >= 0 ? -EALREADY : pagemap_valid(fd) ? 0 : -EINVAL;
	if (error)
		close(fd);
	else
		client->pagemap = fd;
	return error;
}

bool client_gone(const struct client *client)
{
	return client->uffd < 0 || !client->region_count ||
	       !uffd_alive(client->uffd, client->regions[0]->start);
}

void client_leave(struct pager *pager, struct client *client)
{
	fork_end(pager, client);
	if (client->writing) /* it may have written */
		object_refresh(pager, client->writing, 0, UINT64_MAX);
	file_end(pager, client);
}

void client_remove(struct pager *pager, struct client *client)
{
	pageout_settle(pager); /* pages on their way use its userfaultfd */
	client_leave(pager, client);
	boards_leave(pager, client);
	client_hold(pager, client, NULL);
	if (client->polled) {
		struct io_uring_sqe *sqe = ring_sqe(pager);
		if (sqe) {
			io_uring_prep_poll_remove(
				sqe, ring_data(RING_UFFD, (uint64_t)client->generation << 24 |
								  client->number));
			io_uring_sqe_set_data64(sqe, ring_data(RING_IGNORE, 0));
			io_uring_submit(&pager->ring);
		}
	}
	region_remove_range(pager, client, 0, UINT64_MAX);
	agent_close(pager, client);
	pool_leave(pager, client);
	stats_add(&pager->past, &client->stats);
	histogram_merge(&pager->past_latency, &client->latency);
	pager->clients[client->number] = NULL;
	client_destroy(client);
}
