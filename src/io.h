/* SPDX-License-Identifier: MIT */
/*
 * Block I/O: reads and writes of runs of pages, and syncs, through the ring.
 *
 * A read covers consecutive pages of one object that lie consecutively in its file or in swap. A
 * write covers consecutive places, of pages that need not be neighbours when they go to swap.
 * Records come from a fixed pool. The pager's thread only.
 */
#ifndef PAGERD_IO_H
#define PAGERD_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

struct pager;
struct client;
struct object;
struct sync;

#define IO_PAGES 256u /* 1 MiB, the longest read or write */
#define IO_COUNT 512u /* records: reads and writes in flight or staged */
#define IO_NONE	 UINT32_MAX
#define IO_TRIES 3 /* a failing read or write is tried this often */

enum io_kind {
	IO_FREE,
	IO_READ,
	IO_WRITE,
	IO_FSYNC,
	IO_RESERVE,
	IO_ZAP,	  /* see private.h */
	IO_UNMAP, /* see zap.h */
	IO_DROP,  /* see drop.h */
	IO_SWAP,  /* see swap.h */
};

struct io {
	enum io_kind kind;
	bool swap;   /* to or from the swap file, else the object's file */
	bool tail;   /* through fd_tail: bytes below the page's end, or what cannot go directly */
	bool warmup; /* see warmup.h */
	bool demand; /* a fault has begun it */
	bool ended;  /* the file ended before the last byte */
	bool writes; /* of a run of writes: the pages may be mapped writable, see guess.h */
	bool staged; /* read done, nobody has asked for its pages yet */
	bool installing; /* read done, the worker has it: see install.h */
	uint8_t tries;
	uint32_t count;	  /* pages */
	uint32_t bounce;  /* first page */
	uint32_t object;  /* reads; file writes; fsync */
	uint64_t page;	  /* first page (reads, file writes) */
	uint64_t next;	  /* reads: where a run of accesses goes on after it */
	uint32_t trigger; /* reads ahead: index of the page that stays staged, if it is inside */
	uint32_t span;	  /* IO_ZAP, IO_UNMAP: entries */
	uint32_t client;  /* reads ahead: whose region is to map them, and where */
	uint32_t client_generation;
	uint64_t address; /* 0: not known */
	bool advised;	  /* reads ahead: of no run */
	uint64_t place;	  /* byte in the file or swap file */
	uint32_t bytes;
	uint32_t done; /* bytes, after short transfers */
	struct sync *sync;
	struct pager_request *request; /* IO_ZAP of no pages but a range: waits for it */
	uint32_t waiters;	       /* list of faults */
	uint32_t agent_next;	       /* of those that wait for a client's agent */
	uint64_t staged_ns;	       /* when */
	uint32_t staged_prev;
	uint32_t staged_next;
	uint32_t next_free;
	uint32_t frames[IO_PAGES]; /* FRAME_NONE: that page is not wanted any more */
};

/* Does an agent drop a range with it, after a truncation? It is not about frames, and nobody else
 * is going to do it: see private_truncate. */
static inline bool io_truncates(const struct io *io)
{
	return io->kind == IO_ZAP && !io->span;
}

int io_table_init(struct pager *pager);
void io_table_finish(struct pager *pager);

/* How many pages of object from page on, up to count, one read can bring in; 0: not even the first.
 */
uint32_t io_readable(const struct object *object, uint64_t page, uint32_t count);

/* Read count pages of object from page on, whose entries must all be ABSENT (file) or SWAPPED in
 * consecutive slots. Takes frames and bounce memory; reads fewer pages, down to min_count, when
 * those are short; what is staged gives up its bounce memory to reads that have a min_count of 1
 * only. Returns how many pages are on their way, 0 if not even min_count. The first page's io is
 * stored in *io. */
uint32_t io_read(struct pager *pager, struct client *client, struct object *object, uint64_t page,
		 uint32_t count, uint32_t min_count, uint32_t *io);

/* Pages that are read together, the first one wanted, others perhaps not. */
struct io_stretch {
	uint64_t page;
	uint32_t count;
	uint64_t wanted[IO_PAGES / 64]; /* bits, from page on */
	bool warmup;
};

/* Add a page, beyond those that are there, to a stretch whose first page is set. */
void io_stretch_add(struct io_stretch *stretch, uint64_t page);
/* Read a stretch whose wanted pages are all ABSENT (file), or SWAPPED in slots as far apart as they
 * are; there must be frames for them. False if there is no bounce memory or record. The io is
 * stored in *io. */
bool io_read_stretch(struct pager *pager, struct client *client, struct object *object,
		     const struct io_stretch *stretch, uint32_t *io);

/* Write the pages of some of the first frames: those that can go in one transfer. All must be
 * resident, dirty and not FRAME_WRITEBACK, sorted by (object, page). Protects them, copies them to
 * bounce memory, marks them clean and FRAME_WRITEBACK. Returns how many frames were taken; 0 with
 * *error -EAGAIN (no bounce memory or record), -ENOSPC (no slot), -EIO. */
uint32_t io_write(struct pager *pager, const uint32_t *frames, uint32_t count, struct sync *sync,
		  int *error);
/* Are any in flight, or about to be? */
bool io_writes_run(const struct pager *pager);
/* Could a write be started now? */
bool io_write_room(const struct pager *pager);
/* Could one of the object's pages? Costs no call: where there is none, many may be passed over. */
bool io_object_room(const struct pager *pager, const struct object *object);
/* The agent has put the first pages of a write of private pages into bytes: go on with those. */
void io_saved(struct pager *pager, uint32_t io, const void *bytes, uint32_t pages);
/* Nobody knows when it will: what the write has taken and does not need until then, others get. */
void io_save_late(struct pager *pager, uint32_t io);
/* It is not to: as if the write had not been begun. */
void io_save_never(struct pager *pager, uint32_t io);
/* Have blocks allocated for count pages of the file; then fault_reserved. False if there is no
 * record to spare. */
bool io_reserve(struct pager *pager, struct object *object, uint64_t page, uint32_t count,
		uint32_t fault);
/* Ask for an fsync of the object's file; its end is told to sync. 0 or -EBUSY. */
int io_fsync(struct pager *pager, struct object *object, struct sync *sync);

/* An I/O ended (from the ring). */
void io_complete(struct pager *pager, uint32_t io, int result);

/* Of a read ahead for client's region at address: map its pages there as soon as they are read, all
 * but the trigger, whose fault is to tell that the run goes on. */
void io_read_ahead(struct pager *pager, uint32_t io, const struct client *client, uint64_t address);
/* Forget staged reads, oldest first, until pages bounce pages are free or none are left; returns
 * whether any was. */
bool io_unstage(struct pager *pager, uint32_t pages);
/* Forget staged reads that nobody has asked for in so long that nobody will: no policy has their
 * frames, so nothing else takes them. Returns whether any was. */
bool io_unstage_dead(struct pager *pager);
/* Is there a record for one more read that nobody waits for? Gives up staged ones that are old. */
bool io_ahead_room(struct pager *pager);
/* Forget the staged reads of pages of one object in [page, end). */
void io_unstage_object(struct pager *pager, const struct object *object, uint64_t page,
		       uint64_t end);

/* ---- between io.c, io_read.c, install.c and io_write.c ---- */

struct io *io_alloc(struct pager *pager, enum io_kind kind, uint32_t *number);
void io_release(struct pager *pager, struct io *io);
void io_submit(struct pager *pager, struct io *io);
/* Bounce memory for *count pages, or as many as a power of two fewer as there are, not below
 * least. */
uint32_t io_bounce(struct pager *pager, uint32_t *count, uint32_t least);
void io_read_failed(struct pager *pager, struct io *io, int error);
void io_read_done(struct pager *pager, uint32_t io);
void io_write_done(struct pager *pager, struct io *io, int error);
/* Is this page of the read still wanted? If not, its frame is freed. */
bool io_wanted(struct pager *pager, struct io *io, uint32_t index);
/* Give the pages of a read back to where they were, as if it had never been. */
void io_undo(struct pager *pager, struct io *io);
/* A read that is done waits for somebody to ask for its pages; does so no more; is forgotten, with
 * its record. */
void io_stage_link(struct pager *pager, struct io *io);
void io_stage_unlink(struct pager *pager, struct io *io);
void io_unstage_one(struct pager *pager, struct io *io);

#endif
