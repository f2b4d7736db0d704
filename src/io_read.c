/* SPDX-License-Identifier: MIT */
/* Reads: from the fault to the page in the object. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

/* What nobody has asked for yet must not keep others from reading and writing. */
#define STAGED_MAX     (IO_COUNT / 4)
#define STAGED_OLD_NS  100000000  /* nobody will */
#define STAGED_DEAD_NS 1000000000 /* nobody will, and other pages would have to go */

uint32_t io_readable(const struct object *object, uint64_t page, uint32_t count)
{
	uint64_t first = object_pte(object, page);
	enum page_state state = pte_state(first);
	if (state != PAGE_SWAPPED && !(state == PAGE_ABSENT && object_is_file(object)))
		return 0;
	uint32_t run = 1;
	while (run < count) {
		uint64_t pte = object_pte(object, page + run);
		if (pte_state(pte) != state ||
		    (state == PAGE_SWAPPED && pte_number(pte) != pte_number(first) + run))
			break;
		run++;
	}
	return run;
}

/* A record for a read of count pages into bounce, which is given back if there is none. */
static struct io *read_make(struct pager *pager, struct object *object, uint64_t page,
			    uint32_t count, uint32_t bounce, uint32_t *number)
{
	uint64_t first = object_pte(object, page);
	struct io *io = io_alloc(pager, IO_READ, number);
	if (!io) {
		bounce_free(&pager->bounce, bounce, count);
		return NULL;
	}
	io->count = count;
	io->bounce = bounce;
	/* So that all walks see these pages, and every write. */
	if (object_arm(pager, object, page, count)) {
		io_release(pager, io);
		return NULL;
	}
	io->swap = pte_state(first) == PAGE_SWAPPED;
	io->object = object->number;
	io->page = page;
	io->next = page + count;
	io->place = (io->swap ? pte_number(first) : page) << PAGE_SHIFT;
	io->bytes = count << PAGE_SHIFT;
	return io;
}

/* A frame for a page of the read, which is on its way now. */
static void read_page(struct pager *pager, struct client *client, struct object *object,
		      struct io *io, uint32_t i)
{
	uint32_t number = frame_alloc(pager, client, object, io->page + i);
	io->frames[i] = number;
	if (number == FRAME_NONE)
		return;
	struct frame *frame = frame_get(pager, number);
	frame->io = (uint32_t)(io - pager->ios);
	if (io->swap)
		frame->slot = (io->place >> PAGE_SHIFT) + i;
	object->table[io->page + i] = pte_make(PAGE_READING, number, 0);
}

static void read_start(struct pager *pager, struct object *object, struct io *io)
{
	object->in_flight += io->count;
	pager->io_reads++;
	pager->io_warmups += io->warmup;
	io_submit(pager, io);
}

uint32_t io_read(struct pager *pager, struct client *client, struct object *object, uint64_t page,
		 uint32_t count, uint32_t min_count, uint32_t *number)
{
	uint32_t room = frame_available(pager, client, object);
	if (count > IO_PAGES)
		count = IO_PAGES;
	if (count > 1 && count > room / 2) /* leave some to demand */
		count = room / 2 ? room / 2 : 1;
	if (count < min_count || !room)
		return 0;
	count = io_readable(object, page, count);
	uint32_t least = min_count < count ? min_count : count;
	uint32_t bounce = io_bounce(pager, &count, least);
	/* Somebody may wait for one page; what is staged, like more pages, may never be wanted. */
	if (bounce == BOUNCE_NONE && least == 1 && io_unstage(pager, IO_PAGES))
		bounce = io_bounce(pager, &count, least);
	struct io *io = bounce == BOUNCE_NONE
				? NULL
				: read_make(pager, object, page, count, bounce, number);
	if (!io)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		read_page(pager, client, object, io, i);
	read_start(pager, object, io);
	return count;
}

void io_stretch_add(struct io_stretch *stretch, uint64_t page)
{
	uint32_t i = (uint32_t)(page - stretch->page);
	stretch->wanted[i / 64] |= 1ull << (i % 64);
	stretch->count = i + 1;
}

bool io_read_stretch(struct pager *pager, struct client *client, struct object *object,
		     const struct io_stretch *stretch, uint32_t *number)
{
	uint32_t bounce = bounce_alloc(&pager->bounce, stretch->count);
	struct io *io = bounce == BOUNCE_NONE ? NULL
					      : read_make(pager, object, stretch->page,
							  stretch->count, bounce, number);
	if (!io)
		return false;
	io->warmup = stretch->warmup;
	for (uint32_t i = 0; i < stretch->count; i++)
		if (stretch->wanted[i / 64] >> (i % 64) & 1)
			read_page(pager, client, object, io, i);
		else
			io->frames[i] = FRAME_NONE;
	read_start(pager, object, io);
	return true;
}

bool io_wanted(struct pager *pager, struct io *io, uint32_t index)
{
	uint32_t number = io->frames[index];
	if (number == FRAME_NONE)
		return false;
	if (!(frame_get(pager, number)->flags & FRAME_ORPHAN))
		return true;
	frame_free(pager, number, false);
	io->frames[index] = FRAME_NONE;
	return false;
}

void io_undo(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	for (uint32_t i = 0; i < io->count; i++) {
		if (!io_wanted(pager, io, i))
			continue;
		struct frame *frame = frame_get(pager, io->frames[i]);
		object->table[io->page + i] = pte_away(frame->slot);
		frame_free(pager, io->frames[i], false);
	}
	object->in_flight -= io->count;
}

void io_read_failed(struct pager *pager, struct io *io, int error)
{
	struct object *object = object_lookup(pager, io->object);
	pager_warn(pager, "read", io->swap ? NULL : object, error);
	uint32_t list = io->waiters, count = io->count;
	io_undo(pager, io);
	io_release(pager, io);
	if (count > 1) {
		fault_retry_list(pager, list, true);
	} else {
		while (list != FAULT_NONE) {
			uint32_t next = pager->faults[list].next;
			struct client *client = client_lookup(pager, pager->faults[list].client);
			COUNT(pager, client, object, read_errors, 1);
			fault_fail(pager, list);
			list = next;
		}
	}
	object_reap(pager, object);
}

/* Pages that the file does not have any more are as if they had not been read: who waits for one
 * finds it beyond the end. */
static void read_cut(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	uint64_t pages = object_pages_look(object);
	for (uint32_t i = 0; i < io->count; i++) {
		if (io->page + i < pages || !io_wanted(pager, io, i))
			continue;
		object->table[io->page + i] = pte_make(PAGE_ABSENT, 0, 0);
		frame_free(pager, io->frames[i], false);
		io->frames[i] = FRAME_NONE;
	}
}

void io_stage_unlink(struct pager *pager, struct io *io)
{
	if (io->staged_prev == IO_NONE)
		pager->staged_head = io->staged_next;
	else
		pager->ios[io->staged_prev].staged_next = io->staged_next;
	if (io->staged_next == IO_NONE)
		pager->staged_tail = io->staged_prev;
	else
		pager->ios[io->staged_next].staged_prev = io->staged_prev;
	pager->staged_pages -= io->count;
	pager->staged_count--;
	io->staged = false;
}

void io_stage_link(struct pager *pager, struct io *io)
{
	uint32_t number = (uint32_t)(io - pager->ios);
	io->staged = true;
	io->staged_ns = pager->now_ns;
	io->staged_prev = pager->staged_tail;
	io->staged_next = IO_NONE;
	if (pager->staged_tail == IO_NONE)
		pager->staged_head = number;
	else
		pager->ios[pager->staged_tail].staged_next = number;
	pager->staged_tail = number;
	pager->staged_pages += io->count;
	pager->staged_count++;
}

void io_unstage_one(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	io_stage_unlink(pager, io);
	io_undo(pager, io);
	io_release(pager, io);
	object_reap(pager, object);
}

bool io_unstage(struct pager *pager, uint32_t pages)
{
	bool any = false;
	while (pager->staged_head != IO_NONE && (!any || pager->bounce.free_pages < pages)) {
		io_unstage_one(pager, &pager->ios[pager->staged_head]);
		any = true;
	}
	return any;
}

static bool staged_since(const struct pager *pager, uint64_t ns)
{
	return pager->staged_head != IO_NONE &&
	       pager->now_ns - pager->ios[pager->staged_head].staged_ns > ns;
}

bool io_unstage_dead(struct pager *pager)
{
	bool any = false;
	for (; staged_since(pager, STAGED_DEAD_NS); any = true)
		io_unstage_one(pager, &pager->ios[pager->staged_head]);
	return any;
}

bool io_ahead_room(struct pager *pager)
{
	while (pager->staged_count + pager->io_reads >= STAGED_MAX &&
	       staged_since(pager, STAGED_OLD_NS))
		io_unstage_one(pager, &pager->ios[pager->staged_head]);
	return pager->staged_count + pager->io_reads < STAGED_MAX;
}

void io_unstage_object(struct pager *pager, const struct object *object, uint64_t page,
		       uint64_t end)
{
	uint32_t number = object->number;
	for (uint32_t next, i = pager->staged_head; i != IO_NONE; i = next) {
		struct io *io = &pager->ios[i];
		next = io->staged_next;
		if (io->object == number && io->page < end && page < io->page + io->count)
			io_unstage_one(pager, io);
	}
}

void io_read_ahead(struct pager *pager, uint32_t number, const struct client *client,
		   uint64_t address)
{
	struct io *io = &pager->ios[number];
	io->client = client->number;
	io->client_generation = client->generation;
	io->address = address;
}

void io_read_done(struct pager *pager, uint32_t number)
{
	struct io *io = &pager->ios[number];
	struct object *object = object_lookup(pager, io->object);
	uint32_t first = io->waiters;
	if (io->ended)
		read_cut(pager, io);
	if (io->warmup) {
		COUNT(pager, client_lookup(pager, io->client), object, pages_read, io->count);
		io_install_warmup(pager, io);
		return;
	}
	if (first == FAULT_NONE) {
		struct frame *frame = NULL;
		for (uint32_t i = 0; i < io->count && !frame; i++)
			if (io_wanted(pager, io, i))
				frame = frame_get(pager, io->frames[i]);
		struct client *client = frame ? client_lookup(pager, frame->client) : NULL;
		COUNT(pager, client, object, pages_read, io->count);
		io_stage_link(pager, io);
		if (!frame || object->closing)
			io_unstage_one(pager, io); /* nobody can want it any more */
		else
			io_install_ahead(pager, io);
		return;
	}
	struct fault *fault = &pager->faults[first];
	struct client *client = client_lookup(pager, fault->client);
	COUNT(pager, client, object, pages_read, io->count);
	io->waiters = fault->next;
	struct fault copy = *fault; /* io_install handles other faults, records come and go */
	io_install(pager, number, &copy);
	fault_installed(pager, first);
}
