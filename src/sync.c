/* SPDX-License-Identifier: MIT */
/* Write-back of ranges: msync, munmap, the last unmap of a file, a fork, old dirty pages. */
#include <errno.h>
#include <stdlib.h>

#include "core.h"

/* Dirty pages that are looked at in a tick: those of a file whose write-back is held up may come
 * first. */
#define OLD_MOST 4096u

int sync_start(struct pager *pager, struct object *object, uint64_t page, uint64_t end, bool flush,
	       struct pager_request *request)
{
	struct sync *sync = calloc(1, sizeof *sync);
	if (!sync)
		return -ENOMEM;
	*sync = (struct sync){
		.object = object->number,
		.cursor = page,
		.end = end < object->capacity_pages ? end : object->capacity_pages,
		.flush = flush,
		.request = request,
		.next = pager->syncs,
	};
	pager->syncs = sync;
	pager->sync_begun = true;
	if (request)
		request->pending++;
	return 0;
}

void sync_whole(struct pager *pager, struct object *object)
{
	const struct sync *sync = pager->syncs;
	while (sync && sync->object != object->number)
		sync = sync->next;
	if (!sync)
		sync_start(pager, object, 0, object->capacity_pages, false, NULL);
}

/* Dirty pages from page on that can be written together. */
static uint32_t dirty_run(struct pager *pager, const struct object *object, uint64_t page,
			  uint64_t end, uint32_t *frames)
{
	uint32_t count = 0;
	for (; page < end && count < IO_PAGES; page++) {
		uint64_t pte = object_pte(object, page);
		uint32_t number = (uint32_t)pte_number(pte);
		if (pte_state(pte) != PAGE_RESIDENT || !(pte & PTE_DIRTY) ||
		    frame_get(pager, number)->flags & FRAME_WRITEBACK)
			break;
		frames[count++] = number;
	}
	return count;
}

/* Private pages of a client that has no agent any more: it has been killed, say. */
static bool sync_hopeless(struct pager *pager, const struct object *object)
{
	return object_is_private(object) && agent_gone(pager, object->client);
}

/* Walk on; true when the end of the range is reached. */
static bool sync_walk(struct pager *pager, struct sync *sync, struct object *object)
{
	uint32_t frames[IO_PAGES];
	while (sync->cursor < sync->end) {
		sync->cursor = object_next_armed(object, sync->cursor);
		if (sync->cursor >= sync->end)
			break;
		uint64_t pte = object_pte(object, sync->cursor);
		if (pte_state(pte) != PAGE_RESIDENT) {
			sync->cursor++;
			continue;
		}
		if (frame_get(pager, (uint32_t)pte_number(pte))->flags & FRAME_WRITEBACK)
			return false;
		uint32_t count = dirty_run(pager, object, sync->cursor, sync->end, frames);
		if (!count) {
			sync->cursor++;
			continue;
		}
		int error;
		uint32_t taken = io_write(pager, frames, count, sync, &error);
		if (!taken && error == -EAGAIN) {
			if (!sync_hopeless(pager, object))
				return false;
			error = -ENOTCONN;
		}
		if (!taken) {
			sync->error = error;
			taken = 1;
		}
		sync->cursor += taken;
	}
	return true;
}

/* True when it has ended. */
static bool sync_step(struct pager *pager, struct sync *sync)
{
	struct object *object = object_lookup(pager, sync->object);
	if (!sync_walk(pager, sync, object) || sync->pending)
		return false;
	if (sync->flush && !sync->flushing && object_is_file(object)) {
		sync->flushing = !io_fsync(pager, object, sync);
		return false;
	}
	return true;
}

static void sync_finish(struct pager *pager, struct sync *sync)
{
	struct object *object = object_lookup(pager, sync->object);
	struct pager_request *request = sync->request;
	int error = sync->error;
	free(sync);
	if (object) /* else another that ended with this one was the last that kept it */
		object_reap(pager, object);
	if (request)
		request_part_done(pager, request, error);
}

void sync_run(struct pager *pager)
{
	struct sync **link = &pager->syncs, *ended = NULL;
	pager->sync_begun = false;
	while (*link) {
		struct sync *sync = *link;
		if (!sync_step(pager, sync)) {
			link = &sync->next;
			continue;
		}
		*link = sync->next;
		sync->next = ended;
		ended = sync;
	}
	pageout_drop_queued(pager);
	while (ended) {
		struct sync *next = ended->next;
		sync_finish(pager, ended);
		ended = next;
	}
}

void sync_old(struct pager *pager)
{
	uint32_t frames[IO_PAGES], age = pager->config.writeback_age_ms;
	uint32_t now_ms = (uint32_t)((pager->now_ns - pager->start_ns) / 1000000);
	if (!age || !shortage_may_write(pager))
		return;
	/* Bounded: a frame under write-back may head the list again and again. */
	for (uint32_t number = pager->dirty_head, tries = OLD_MOST; number != FRAME_NONE && tries;
	     tries--) {
		struct frame *frame = frame_get(pager, number);
		int error;
		if (now_ms - pager->dirt[number].since_ms < age)
			break;
		struct object *object = object_lookup(pager, frame_object(frame));
		number = pager->dirt[number].next;
		if (!io_object_room(pager, object))
			continue;
		uint32_t count =
			dirty_run(pager, object, frame_page(frame), object->capacity_pages, frames);
		if (!count)
			continue;
		if (!io_write(pager, frames, count, NULL, &error))
			break;
		number = pager->dirty_head;
	}
	pageout_drop_queued(pager);
}
