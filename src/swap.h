/* SPDX-License-Identifier: MIT */
/*
 * Swap: one unlinked file, grown ahead of use so that a full disk shows here and not later.
 *
 * The file system may take its time to make the file longer or shorter, or stand still altogether
 * (fsfreeze, say). So this is done through the ring, one thing at a time, and nobody waits for it
 * but who needs a slot when there is none. What is being added to the file, and what is being cut
 * off, is beyond slots.limit meanwhile: nobody has any of it.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_SWAP_H
#define PAGERD_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io;
struct pager;

/* What is being done to the file. */
enum swap_change {
	SWAP_STILL,
	SWAP_GROWS,
	SWAP_CUTS, /* what is behind its end goes back to the disk */
};

struct swap {
	int fd; /* -1: none */
	enum swap_change change;
	uint64_t from, end;   /* the slots in question */
	bool full;	      /* when it last was to grow it could not: not by a long step */
	uint64_t retry_ns;    /* so it is not to grow before then */
	uint64_t limit_slots; /* it may have; it has slots.limit */
	uint64_t peak_slots;  /* of several shards: below this are all that were in use since it was
			       * last cut */
	uint64_t give_slots;  /* with no more in use it may be cut */
};

int swap_open(struct pager *pager, char *why, size_t why_bytes);
void swap_close(struct pager *pager);

/* Up to want contiguous slots backed by the file. Has the file grow when few are left. 0 with
 * *error = -EAGAIN if there are none now, and -ENOSPC if none are to be had. */
uint32_t swap_alloc(struct pager *pager, uint32_t want, uint64_t *slot, int *error);
/* Once a turn: where half of the slots that were in use have come free at the file's end, they go
 * back to the disk and the bank, for other shards. */
void swap_give(struct pager *pager);
/* Whether there is no slot until a change of the file has ended. */
bool swap_waits(const struct pager *pager);
/* A change of the file has ended (from the ring). */
void swap_changed(struct pager *pager, struct io *io, int result);

#endif
