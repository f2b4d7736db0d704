/* SPDX-License-Identifier: MIT */
/* Writes: from dirty pages to their slots or files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

/* Writes leave this much of the bounce memory to reads: a fault must not wait for a write. */
#define BOUNCE_FOR_READS (BOUNCE_PAGES / 4)
#define IO_FOR_READS	 (IO_COUNT / 4)

bool io_writes_run(const struct pager *pager)
{
	return pager->io_writes > pager->io_late_writes;
}

bool io_write_room(const struct pager *pager)
{
	return pager->io_writes + IO_FOR_READS < IO_COUNT &&
	       pager->bounce.free_pages > BOUNCE_FOR_READS;
}

/*
 * The same for writes to files, which may be held up for long (see shortage.h): swap goes on, and
 * so does the write-back of other files, as each leaves them half of what the others have left. In
 * pages; 0: none now.
 */
static uint32_t file_write_room(const struct pager *pager, const struct object *object)
{
	int64_t records = (int64_t)IO_COUNT - 2 * IO_FOR_READS - pager->io_writes;
	int64_t pages = (int64_t)pager->bounce.free_pages - 2 * BOUNCE_FOR_READS;
	if (records <= object->write_ios || pages <= object->writes)
		return 0;
	return pages < 4 ? 1 : (uint32_t)(pages / 4);
}

bool io_object_room(const struct pager *pager, const struct object *object)
{
	return object_is_file(object) ? file_write_room(pager, object) : io_write_room(pager);
}

/* Copy the frames' pages to bounce memory, protected so that the copies are exact. */
static int write_copy(struct pager *pager, const uint32_t *frames, uint32_t count, uint32_t bounce)
{
	for (uint32_t i = 0; i < count;) {
		struct frame *frame = frame_get(pager, frames[i]);
		struct object *object = object_lookup(pager, frame_object(frame));
		uint32_t run = frame_run(pager, frames + i, count - i);
		if (object_protect(pager, object, frame_page(frame), run))
			return -EAGAIN;
		ssize_t bytes = (ssize_t)run << PAGE_SHIFT;
		if (pread(object->memfd, bounce_address(&pager->bounce, bounce + i), (size_t)bytes,
			  (off_t)(frame_page(frame) << PAGE_SHIFT)) != bytes)
			return -EIO;
		i += run;
	}
	return 0;
}

/* The frames' pages are clean, and on their way. */
static void write_mark(struct pager *pager, struct io *io, uint32_t number)
{
	for (uint32_t i = 0; i < io->count; i++) {
		if (io->frames[i] == FRAME_NONE)
			continue;
		struct frame *frame = frame_get(pager, io->frames[i]);
		struct object *object = object_lookup(pager, frame_object(frame));
		if (!io->swap)
			object_writing(object, 1);
		frame_clean(pager, object, frame_page(frame));
		frame->flags |= FRAME_WRITEBACK;
		frame->io = number;
		object->in_flight++;
	}
	pager->io_writes++;
	if (!io->swap) {
		pager->io_file_writes++;
		object_lookup(pager, io->object)->write_ios++;
	}
	if (io->sync)
		io->sync->pending++;
}

static void write_start(struct pager *pager, struct io *io, uint32_t number)
{
	write_mark(pager, io, number);
	io_submit(pager, io);
}

/* Private pages are the client's: its agent copies them, and io_saved goes on. */
static int write_protect(struct pager *pager, const uint32_t *frames, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct frame *frame = frame_get(pager, frames[i]);
		if (object_protect(pager, object_lookup(pager, frame_object(frame)),
				   frame_page(frame), 1))
			return -EAGAIN;
	}
	return 0;
}

static bool page_is_zero(const unsigned char *page)
{
	const uint64_t *word = (const uint64_t *)page;
	return !word[0] && !memcmp(page, page + 8, PAGE_BYTES - 8);
}

/* A page of zeros needs no slot: clean without one means zeros. Returns how many are left. */
static uint32_t write_skip_zeros(struct pager *pager, struct io *io, uint64_t slot)
{
	uint32_t left = io->count;
	for (uint32_t i = 0; i < io->count; i++) {
		if (!page_is_zero(bounce_address(&pager->bounce, io->bounce + i)))
			continue;
		struct frame *frame = frame_get(pager, io->frames[i]);
		frame_clean(pager, object_lookup(pager, frame_object(frame)), frame_page(frame));
		if (frame->flags & FRAME_RECLAIM)
			pageout_queue_drop(pager, io->frames[i]);
		io->frames[i] = FRAME_NONE;
		slot_unref(&pager->slots, slot + i);
		left--;
	}
	return left;
}

static uint32_t write_swap(struct pager *pager, const uint32_t *frames, uint32_t count,
			   struct sync *sync, int *error)
{
	struct object *object = object_lookup(pager, frame_object(frame_get(pager, frames[0])));
	bool private = object_is_private(object);
	*error = -EAGAIN;
	if (!io_write_room(pager) || (private && !private_ready(pager, object)))
		return 0;
	if (private && count > PAGERD_WINDOW_PAGES)
		count = PAGERD_WINDOW_PAGES;
	uint64_t slot;
	count = swap_alloc(pager, count < IO_PAGES ? count : IO_PAGES, &slot, error);
	if (!count)
		return 0;
	*error = -EAGAIN;
	uint32_t taken = count, number;
	uint32_t bounce = io_bounce(pager, &taken, 1);
	struct io *io = bounce == BOUNCE_NONE ? NULL : io_alloc(pager, IO_WRITE, &number);
	for (uint32_t i = io ? taken : 0; i < count; i++)
		slot_unref(&pager->slots, slot + i);
	if (!io) {
		if (bounce != BOUNCE_NONE)
			bounce_free(&pager->bounce, bounce, taken);
		return 0;
	}
	io->swap = true;
	io->count = taken;
	io->bounce = bounce;
	io->place = slot << PAGE_SHIFT;
	io->bytes = taken << PAGE_SHIFT;
	io->sync = sync;
	memcpy(io->frames, frames, taken * sizeof *frames);
	*error = private ? write_protect(pager, frames, taken)
			 : write_copy(pager, frames, taken, bounce);
	if (*error) {
		for (uint32_t i = 0; i < taken; i++)
			slot_unref(&pager->slots, slot + i);
		io_release(pager, io);
		return 0;
	}
	*error = 0;
	if (private) {
		write_mark(pager, io, number);
		agent_submit(pager, object->client, number);
	} else if (write_skip_zeros(pager, io, slot))
		write_start(pager, io, number);
	else
		io_release(pager, io);
	return taken;
}

/* The frame's page, which is protected, is clean without being written. */
static void write_not(struct pager *pager, struct object *object, uint32_t number)
{
	frame_clean(pager, object, frame_page(frame_get(pager, number)));
	if (frame_get(pager, number)->flags & FRAME_RECLAIM)
		pageout_queue_drop(pager, number);
}

/* Dirty pages that lie wholly beyond the file's end have no home any more. Returns whether it went.
 */
static bool write_beyond(struct pager *pager, struct object *object, uint32_t number)
{
	struct frame *frame = frame_get(pager, number);
	if (object_protect(pager, object, frame_page(frame), 1))
		return false;
	write_not(pager, object, number);
	return true;
}

/* Start a write of count pages of io from index on, in their part of its bounce memory. */
static bool write_part(struct pager *pager, const struct object *object, const struct io *io,
		       uint32_t index, uint32_t count)
{
	uint32_t number;
	struct io *part =
		file_write_room(pager, object) ? io_alloc(pager, IO_WRITE, &number) : NULL;
	if (!part)
		return false;
	part->count = count;
	part->bounce = io->bounce + index;
	part->object = io->object;
	part->page = io->page + index;
	part->place = part->page << PAGE_SHIFT;
	part->bytes = count << PAGE_SHIFT;
	part->sync = io->sync;
	memcpy(part->frames, io->frames + index, count * sizeof *part->frames);
	write_start(pager, part, number);
	return true;
}

/* Which of the pages, copied, were never written; how many. */
static uint32_t write_unwritten(struct pager *pager, const struct io *io, bool *unwritten)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < io->count; i++) {
		unwritten[i] = guess_wrong(pager, io->frames[i],
					   bounce_address(&pager->bounce, io->bounce + i));
		count += unwritten[i];
	}
	return count;
}

/* Only what was written goes to a file. Pages that were not are clean now, and the others are
 * written in parts. Releases the record; returns how many of its pages are dealt with. */
static uint32_t write_parts(struct pager *pager, struct io *io, const bool *unwritten)
{
	struct object *object = object_lookup(pager, io->object);
	uint32_t i = 0;
	for (uint32_t run; i < io->count; i += run) {
		for (run = 1; i + run < io->count && unwritten[i + run] == unwritten[i]; run++)
			;
		if (!unwritten[i] && !write_part(pager, object, io, i, run))
			break;
		for (uint32_t k = i; unwritten[i] && k < i + run; k++)
			write_not(pager, object, io->frames[k]);
		if (unwritten[i])
			bounce_free(&pager->bounce, io->bounce + i, run);
	}
	if (i < io->count)
		bounce_free(&pager->bounce, io->bounce + i, io->count - i);
	io->count = 0;
	io_release(pager, io);
	return i;
}

static uint32_t write_file(struct pager *pager, struct object *object, const uint32_t *frames,
			   uint32_t count, struct sync *sync)
{
	uint64_t bytes, page = frame_page(frame_get(pager, frames[0]));
	uint64_t pages = object_file_pages(object, &bytes);
	if (page >= pages)
		return write_beyond(pager, object, frames[0]);
	uint32_t room = file_write_room(pager, object);
	if (!room)
		return 0;
	uint64_t whole = bytes >> PAGE_SHIFT; /* pages that the file fills */
	bool tail = page >= whole;
	if (tail)
		count = 1;
	else if (count > whole - page)
		count = (uint32_t)(whole - page);
	if (count > room)
		count = room;
	if (count > IO_PAGES)
		count = IO_PAGES;
	uint32_t bounce = io_bounce(pager, &count, 1), number;
	struct io *io = bounce == BOUNCE_NONE ? NULL : io_alloc(pager, IO_WRITE, &number);
	if (!io) {
		if (bounce != BOUNCE_NONE)
			bounce_free(&pager->bounce, bounce, count);
		return 0;
	}
	io->tail = tail;
	io->count = count;
	io->bounce = bounce;
	io->object = object->number;
	io->page = page;
	io->place = page << PAGE_SHIFT;
	io->bytes = tail ? (uint32_t)(bytes & (PAGE_BYTES - 1)) : count << PAGE_SHIFT;
	io->sync = sync;
	memcpy(io->frames, frames, count * sizeof *frames);
	if (write_copy(pager, frames, count, bounce)) {
		io_release(pager, io);
		return 0;
	}
	bool unwritten[IO_PAGES];
	if (write_unwritten(pager, io, unwritten))
		return write_parts(pager, io, unwritten);
	write_start(pager, io, number);
	return count;
}

/* Can next be written with first, run places behind it? */
static bool write_together(struct pager *pager, const struct frame *first, const struct frame *next,
			   uint32_t run)
{
	const struct object *object = object_lookup(pager, frame_object(first));
	const struct object *other = object_lookup(pager, frame_object(next));
	if (object_is_file(object))
		return next->id == first->id + run;
	if (object_is_private(object))
		return other == object;
	return !object_is_file(other) && !object_is_private(other);
}

uint32_t io_write(struct pager *pager, const uint32_t *frames, uint32_t count, struct sync *sync,
		  int *error)
{
	struct frame *first = frame_get(pager, frames[0]);
	struct object *object = object_lookup(pager, frame_object(first));
	bool file = object_is_file(object);
	uint32_t run = 1;
	while (run < count && run < IO_PAGES &&
	       write_together(pager, first, frame_get(pager, frames[run]), run))
		run++;
	if (!file)
		return write_swap(pager, frames, run, sync, error);
	run = write_file(pager, object, frames, run, sync);
	*error = run ? 0 : -EAGAIN;
	return run;
}

static void written(struct pager *pager, struct io *io, uint32_t i, int error)
{
	uint32_t number = io->frames[i];
	struct frame *frame = frame_get(pager, number);
	struct object *object = object_lookup(pager, frame_object(frame));
	uint64_t slot = io->swap ? (io->place >> PAGE_SHIFT) + i : SLOT_NONE;
	struct client *client = client_lookup(pager, frame->client);
	frame->flags &= (uint16_t)~FRAME_WRITEBACK;
	object->in_flight--;
	if (error)
		object->write_error = error;
	if (error && error != -ECANCELED)
		COUNT(pager, client, object, write_errors, 1);
	else if (!error)
		COUNT(pager, client, object, pages_written, 1);
	bool orphan = frame->flags & FRAME_ORPHAN;
	bool dirty = !orphan && object_pte(object, frame_page(frame)) & PTE_DIRTY;
	if (slot != SLOT_NONE && (orphan || dirty || error)) {
		slot_unref(&pager->slots, slot);
	} else if (slot != SLOT_NONE) {
		frame->slot = slot;
		object->swap_pages++;
	}
	if (orphan) {
		frame_free(pager, number, false);
	} else {
		if (error)
			frame_dirty(pager, object, frame_page(frame));
		if (frame->flags & FRAME_RECLAIM && (dirty || error))
			frame_keep(pager, number);
		else if (frame->flags & FRAME_RECLAIM)
			pageout_queue_drop(pager, number);
	}
	if (!io->swap)
		object_writing(object, -1);
	object_reap(pager, object);
}

void io_write_done(struct pager *pager, struct io *io, int error)
{
	pager->io_writes--;
	if (!io->swap) {
		pager->io_file_writes--;
		object_lookup(pager, io->object)->write_ios--;
	}
	if (!pager->io_file_writes)
		shortage_flows(pager);
	if (error && error != -ECANCELED) {
		shortage_write_failed(pager, error);
		pager_warn(pager, "write", io->swap ? NULL : object_lookup(pager, io->object),
			   error);
	} else if (!error) {
		shortage_written(pager, !io->swap);
	}
	for (uint32_t i = 0; i < io->count; i++)
		if (io->frames[i] != FRAME_NONE)
			written(pager, io, i, error);
	if (io->sync) {
		io->sync->pending--;
		if (error)
			io->sync->error = error;
	}
	io_release(pager, io);
	if (pager->frozen.count)
		fault_retry_queue(pager, &pager->frozen); /* one may wait for this: push_fault */
}

/* Only its first pages are to be written: the slots of the others may be somebody else's now. */
static void write_cut(struct pager *pager, struct io *io, uint32_t pages)
{
	for (uint32_t i = pages; i < io->count; i++)
		written(pager, io, i, -ECANCELED);
	bounce_free(&pager->bounce, io->bounce + pages, io->count - pages);
	io->count = pages;
	io->bytes = pages << PAGE_SHIFT;
}

void io_save_late(struct pager *pager, uint32_t number)
{
	struct io *io = &pager->ios[number];
	bounce_free(&pager->bounce, io->bounce, io->count);
	io->bounce = BOUNCE_NONE;
	pager->io_late_writes++;
}

void io_save_never(struct pager *pager, uint32_t number)
{
	struct io *io = &pager->ios[number];
	struct sync *sync = io->sync;
	if (sync) {
		uint64_t page = frame_page(frame_get(pager, io->frames[0]));
		sync->cursor = page < sync->cursor ? page : sync->cursor;
		sync->pending--;
		io->sync = NULL;
	}
	io_write_done(pager, io, -ECANCELED);
}

/* A write that was late goes on, if there is memory for its copies. */
static bool write_resume(struct pager *pager, struct io *io)
{
	pager->io_late_writes--;
	io->bounce = bounce_alloc(&pager->bounce, io->count);
	return io->bounce != BOUNCE_NONE;
}

void io_saved(struct pager *pager, uint32_t number, const void *bytes, uint32_t pages)
{
	struct io *io = &pager->ios[number];
	if (io->bounce == BOUNCE_NONE && !write_resume(pager, io) && pages) {
		io_save_never(pager, number);
		return;
	}
	if (!pages) {
		io_write_done(pager, io, -ECANCELED);
		return;
	}
	memcpy(bounce_address(&pager->bounce, io->bounce), bytes, (size_t)pages << PAGE_SHIFT);
	write_cut(pager, io, pages);
	io_submit(pager, io);
}
