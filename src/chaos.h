/* SPDX-License-Identifier: MIT */
/*
 * Chaos: everything that may happen at any time happens often.
 *
 * A short program never runs out of memory, and its I/O never fails: most of the pager would not
 * be exercised by it. With chaos on, pages are evicted as soon as nothing forbids it, faults and
 * completed I/O are held back and go on in another order, waiting threads are woken for nothing,
 * reads and writes come back short or with errors that pass, agents are taken for late, and
 * userfaultfd calls fail as the kernel may let them fail. All from one seed; results must be the
 * same. (Which thread runs when is the kernel's choice: a seed makes the same decisions, not the
 * same run.)
 *
 * The pager's thread only. With chaos off nothing here costs more than one test.
 */
#ifndef PAGERD_CHAOS_H
#define PAGERD_CHAOS_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "io.h"

struct pager;

struct chaos {
	bool on;
	uint64_t random;
	uint32_t bound;		   /* frames that may stay at present */
	struct fault_queue faults; /* held back */
	uint32_t late_count;	   /* completions held back */
	struct {
		uint32_t io;
		int32_t result;
	} late[IO_COUNT];
};

/* From the configuration. */
void chaos_init(struct pager *pager);
/* This thread runs the pager from now on (true), or does so no more. */
void chaos_thread(struct pager *pager, bool runs);

/* Is this fault held back? Then it is handled in a later turn. */
bool chaos_holds_fault(struct pager *pager, uint32_t fault);
/* Is this completion held back? */
bool chaos_holds_io(struct pager *pager, uint32_t io, int32_t result);
/* Once a turn: let go of some of what is held back. Whether there is more of it. */
bool chaos_turn(struct pager *pager);

/* Frames that may stay; the pool's or the budget's bound, without chaos. */
uint32_t chaos_bound(struct pager *pager, uint32_t bound);
/* Pages that stay for a while after they came in. */
uint32_t chaos_grace(const struct pager *pager, uint32_t grace);
/* How long the worker hesitates before a job, in microseconds. */
uint32_t chaos_delay_us(struct pager *pager);
/* Is an agent late that has a command, and would have some more time? */
bool chaos_late(struct pager *pager);
/* Is a run expected to write its pages? */
bool chaos_writes(struct pager *pager, bool writes);
/* The window of a read. */
uint32_t chaos_window(struct pager *pager, uint32_t window);
/* The unit of a read. */
uint32_t chaos_unit(struct pager *pager, uint32_t unit);

/* For uffd.c: does this call fail with -EAGAIN, before it has done anything? Also without a pager:
 * false then. */
bool chaos_fails_uffd(void);
/* And how much of length it does, in whole pages: the kernel may stop in the middle. */
uint64_t chaos_length(uint64_t length);

#endif
