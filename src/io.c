/* SPDX-License-Identifier: MIT */
/* Block I/O: reads and writes of runs of pages, and syncs, through the ring. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

#define IOPRIO_LOW IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7) /* where the device's queue heeds it */
#include "uapi.h"

int io_table_init(struct pager *pager)
{
	pager->ios = calloc(IO_COUNT, sizeof *pager->ios);
	if (!pager->ios)
		return -ENOMEM;
	pager->io_free = IO_NONE;
	pager->staged_head = pager->staged_tail = IO_NONE;
	return bounce_init(&pager->bounce, BOUNCE_PAGES);
}

void io_table_finish(struct pager *pager)
{
	bounce_finish(&pager->bounce);
	free(pager->ios);
}

struct io *io_alloc(struct pager *pager, enum io_kind kind, uint32_t *number)
{
	if (pager->io_free == IO_NONE && pager->io_fresh == IO_COUNT)
		return NULL;
	bool fresh = pager->io_free == IO_NONE;
	*number = fresh ? pager->io_fresh++ : pager->io_free;
	struct io *io = &pager->ios[*number];
	if (!fresh)
		pager->io_free = io->next_free;
	io->kind = kind;
	io->swap = io->tail = io->staged = io->installing = false;
	io->warmup = io->advised = io->demand = io->ended = io->writes = false;
	io->tries = 0;
	io->count = io->bounce = io->object = 0;
	io->page = io->next = io->place = io->address = 0;
	io->trigger = IO_PAGES;
	io->bytes = io->done = 0;
	io->sync = NULL;
	io->waiters = FAULT_NONE;
	return io;
}

void io_release(struct pager *pager, struct io *io)
{
	if (io->count && io->bounce != BOUNCE_NONE)
		bounce_free(&pager->bounce, io->bounce, io->count);
	io->kind = IO_FREE;
	io->next_free = pager->io_free;
	pager->io_free = (uint32_t)(io - pager->ios);
	shortage_retry(pager);
}

/* ---- submission -------------------------------------------------------------------------- */

static int io_fd(struct pager *pager, const struct io *io)
{
	if (io->swap)
		return pager->swap.fd;
	struct object *object = object_lookup(pager, io->object);
	return io->tail ? object->fd_tail : object->fd;
}

/*
 * Direct reads want the file's lock. Whoever writes the file may hold it while his own page fault
 * waits for us, for this very page, even: so these do not wait for it. Buffered reads do without.
 */
static bool io_direct_read(const struct io *io)
{
	return io->kind == IO_READ && !io->swap && !io->tail;
}

/*
 * Is the block of bounce memory a registered buffer of the ring's? That saves pinning pages for
 * each I/O. It takes the block's memory, so it is done when the block is first used; it counts
 * against RLIMIT_MEMLOCK of an ordinary user, and all works as well without.
 */
static bool block_registered(struct pager *pager, uint32_t block)
{
	uint32_t bit = 1u << block;
	if (!(pager->buffers_tried & bit)) {
		struct iovec area = {bounce_address(&pager->bounce, block * BOUNCE_BLOCK),
				     (size_t)BOUNCE_BLOCK << PAGE_SHIFT};
		pager->buffers_tried |= bit;
		if (io_uring_register_buffers_update_tag(&pager->ring, block, &area, NULL, 1) == 1)
			pager->buffers |= bit;
	}
	return pager->buffers & bit;
}

void io_submit(struct pager *pager, struct io *io)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	unsigned char *buffer = bounce_address(&pager->bounce, io->bounce) + io->done;
	uint32_t bytes = io->bytes - io->done;
	uint64_t place = io->place + io->done;
	uint32_t block = io->bounce / BOUNCE_BLOCK;
	int fd = io_fd(pager, io);
	if (io->kind == IO_FSYNC)
		io_uring_prep_fsync(sqe, fd, 0);
	else if (io->kind == IO_RESERVE)
		io_uring_prep_fallocate(sqe, fd, FALLOC_FL_KEEP_SIZE, (off_t)place, (off_t)bytes);
	else if (io->kind == IO_READ && block_registered(pager, block))
		io_uring_prep_read_fixed(sqe, fd, buffer, bytes, place, (int)block);
	else if (io->kind == IO_READ)
		io_uring_prep_read(sqe, fd, buffer, bytes, place);
	else if (block_registered(pager, block))
		io_uring_prep_write_fixed(sqe, fd, buffer, bytes, place, (int)block);
	else
		io_uring_prep_write(sqe, fd, buffer, bytes, place);
	if (io_direct_read(io))
		sqe->rw_flags = RWF_NOWAIT;
	if (io->warmup)
		sqe->ioprio = IOPRIO_LOW;
	io_uring_sqe_set_data64(sqe, ring_data(RING_IO, (uint64_t)(io - pager->ios)));
}

uint32_t io_bounce(struct pager *pager, uint32_t *count, uint32_t least)
{
	for (;;) {
		uint32_t first = bounce_alloc(&pager->bounce, *count);
		if (first != BOUNCE_NONE || *count / 2 < least)
			return first;
		*count /= 2;
	}
}

int io_fsync(struct pager *pager, struct object *object, struct sync *sync)
{
	uint32_t number;
	struct io *io = io_alloc(pager, IO_FSYNC, &number);
	if (!io)
		return -EBUSY;
	io->object = object->number;
	io->tail = true;
	io->sync = sync;
	sync->pending++;
	object->in_flight++;
	io_submit(pager, io);
	return 0;
}

bool io_reserve(struct pager *pager, struct object *object, uint64_t page, uint32_t count,
		uint32_t fault)
{
	uint32_t number;
	struct io *io = io_alloc(pager, IO_RESERVE, &number);
	if (!io)
		return false;
	io->object = object->number;
	io->tail = true;
	io->place = page << PAGE_SHIFT;
	io->bytes = count << PAGE_SHIFT;
	io->waiters = fault;
	pager->faults[fault].next = FAULT_NONE;
	object->in_flight++;
	io_submit(pager, io);
	return true;
}

/* The file system takes O_DIRECT at open and refuses it now: go on buffered, for good. */
static bool io_fall_back(struct pager *pager, struct io *io)
{
	int fd = io_fd(pager, io), flags = fcntl(fd, F_GETFL);
	return flags >= 0 && flags & O_DIRECT && !fcntl(fd, F_SETFL, flags & ~O_DIRECT);
}

/* What is to be done about a result: 0 done, 1 submitted again, -errno failed. */
static int io_result(struct pager *pager, struct io *io, int result)
{
	/* Also EIO: ext4 gives it where a write that failed has left blocks behind. */
	if (io_direct_read(io) && (result == -EAGAIN || result == -EOPNOTSUPP || result == -EIO)) {
		io->tail = true;
		io_submit(pager, io);
		return 1;
	}
	if (result == -EINTR || result == -EAGAIN ||
	    (result == -EINVAL && io_fall_back(pager, io))) {
		io_submit(pager, io);
		return 1;
	}
	if (result < 0 || (result == 0 && io->kind == IO_WRITE)) {
		if (++io->tries < IO_TRIES && result != -ENOSPC && result != -EDQUOT) {
			io_submit(pager, io);
			return 1;
		}
		return result ? result : -EIO;
	}
	io->done += (uint32_t)result;
	if (io->done >= io->bytes)
		return 0;
	if (result > 0 && io->done % 512 == 0) {
		io_submit(pager, io);
		return 1;
	}
	if (io->kind == IO_WRITE)
		return -EIO;
	/* The file ends here: zeros after it. Swap cannot end: the slot was written. */
	if (io->swap)
		return -EIO;
	io->ended = true;
	memset(bounce_address(&pager->bounce, io->bounce) + io->done, 0, io->bytes - io->done);
	return 0;
}

/*
 * A direct write has ended: does the kernel keep pages of that range in its cache? It drops them
 * after the write; but not from a folio that somebody else has written to with write(2) meanwhile,
 * be it elsewhere in the same folio ("Direct I/O collision with buffered writes!"): what was read
 * into it before the write ended would be read for good.
 */
static bool io_collides(struct pager *pager, const struct io *io)
{
	struct cachestat_range range = {io->place, io->bytes};
	struct cachestat stat = {0};
	if (io->kind != IO_WRITE || io->swap || io->tail)
		return false;
	return syscall(__NR_cachestat, io_fd(pager, io), &range, &stat, 0) < 0 || stat.nr_cache;
}

static void reserve_done(struct pager *pager, struct io *io, int result)
{
	if (result == -EINTR || result == -EAGAIN) {
		io_submit(pager, io);
		return;
	}
	struct object *object = object_lookup(pager, io->object);
	uint32_t fault = io->waiters, count = io->bytes >> PAGE_SHIFT;
	io_release(pager, io);
	/* What cannot allocate at all shows when the page is written. */
	fault_reserved(pager, fault, count, result == -ENOSPC || result == -EDQUOT);
	object->in_flight--;
	object_reap(pager, object);
}

void io_complete(struct pager *pager, uint32_t number, int result)
{
	struct io *io = &pager->ios[number];
	if (io->kind == IO_SWAP) {
		swap_changed(pager, io, result);
		return;
	}
	if (io->kind == IO_RESERVE) {
		reserve_done(pager, io, result);
		return;
	}
	if (io->kind == IO_FSYNC) {
		struct object *object = object_lookup(pager, io->object);
		io->sync->pending--;
		if (result < 0)
			io->sync->error = result;
		object->in_flight--;
		io_release(pager, io);
		return;
	}
	int error = io_result(pager, io, result);
	if (!error && io_collides(pager, io)) {
		/* Once more through the cache. */
		io->tail = true;
		io->done = 0;
		io_submit(pager, io);
		return;
	}
	if (error > 0)
		return;
	if (io->kind == IO_READ) {
		pager->io_reads--;
		pager->io_demands -= io->demand;
	}
	if (io->warmup)
		pager->io_warmups--;
	if (io->kind == IO_WRITE)
		io_write_done(pager, io, error);
	else if (error)
		io_read_failed(pager, io, error);
	else
		io_read_done(pager, number);
}
