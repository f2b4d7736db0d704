/* SPDX-License-Identifier: MIT */
/* The pager's end: files get what is unwritten, and then clients' memory is taken away. */
#include "stop.h"

#include <stdio.h>

#include "core.h"

#define VAIN_PASSES 25u

/* Also what clients have written that have gone. */
static void stop_begin(struct pager *pager)
{
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (client && client_gone(client))
			client_remove(pager, client);
	}
	pager->stop.least = UINT64_MAX;
}

static void files_write(struct pager *pager)
{
	for (uint32_t i = 1; i < pager->object_room && shortage_may_write(pager); i++) {
		struct object *object = pager->objects[i];
		if (object && object_is_file(object) && object->dirty_pages)
			sync_whole(pager, object);
	}
	sync_run(pager);
}

/* Pages that are to get to their files, or on their way there. */
static uint64_t files_lack(const struct pager *pager)
{
	uint64_t pages = 0;
	for (uint32_t i = 1; i < pager->object_room; i++) {
		const struct object *object = pager->objects[i];
		if (object && object_is_file(object))
			pages += object->dirty_pages + (uint64_t)object->writes;
	}
	return pages;
}

/* Those who wait for what has been written by now are answered before the end; those who come
 * later may come for ever. */
static void syncs_await(struct pager *pager)
{
	for (struct sync *sync = pager->syncs; sync; sync = sync->next)
		sync->awaited = sync->flush && sync->request;
	pager->stop.drained = true;
}

static bool syncs_awaited(const struct pager *pager)
{
	const struct sync *sync = pager->syncs;
	while (sync && !sync->awaited)
		sync = sync->next;
	return sync;
}

static void pass_if_due(struct pager *pager)
{
	struct stop *stop = &pager->stop;
	if (!stop->pass_ns)
		stop_begin(pager);
	else if (pager->now_ns < stop->pass_ns)
		return;
	stop->pass_ns = pager->now_ns + TICK_NS;
	stop->vain++;
	files_write(pager);
	fault_retry_queue(pager, &pager->frozen); /* see fault_write */
}

static void tell_lost(struct pager *pager, uint64_t pages)
{
	char text[100];
	if (!pages || !pager->config.warn)
		return;
	snprintf(text, sizeof text, "changes of %llu pages could not be written to their files",
		 (unsigned long long)pages);
	pager->config.warn(text);
}

/* With so many pages unwritten by now: have many passes changed nothing? */
static bool stop_vain(struct stop *stop, uint64_t pages)
{
	if (pages < stop->least) {
		stop->least = pages;
		stop->vain = 0;
	}
	return stop->vain > VAIN_PASSES;
}

bool stop_step(struct pager *pager)
{
	pass_if_due(pager);
	sync_run(pager);
	uint64_t pages = files_lack(pager);
	if (!pages && !pager->stop.drained)
		syncs_await(pager);
	if (stop_vain(&pager->stop, pages)) {
		tell_lost(pager, pages);
		return true;
	}
	/* A change of the swap file would keep its file system busy when all others have ended. */
	return !pages && !syncs_awaited(pager) && !pager->swap.change;
}

void stop_end(struct pager *pager)
{
	for (uint32_t i = 1; i < pager->client_room; i++)
		if (pager->clients[i])
			client_poison(pager->clients[i]);
}
