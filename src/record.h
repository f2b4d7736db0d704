/* SPDX-License-Identifier: MIT */
/*
 * Recording: every page reference of the clients, but for those to the last few pages, as a trace
 * (<pagerd/trace.h>).
 *
 * Only so many pages are mapped at a time, the window: a page that comes in beyond it has the
 * oldest ones zapped (see zap.h), and waits for that. All objects are guarded, so that each page
 * that is mapped again is mapped by us. Nothing is evicted for it: a record costs two faults and a
 * part of a message to an agent, microseconds, and no I/O. A page that is read first is mapped
 * protected, so that its first write is a reference of its own. What cannot be zapped (private
 * mappings of files, children of fork) is recorded when it comes in, and at its first write.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_RECORD_H
#define PAGERD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "trace.h"

struct pager;

#define RECORD_WINDOW	  64u
#define RECORD_WINDOW_MIN 16u	/* an instruction may want several pages at once */
#define RECORD_WINDOW_MAX 4096u /* pages */

struct record {
	int fd;
	int error;	 /* of a write to it, after which nothing more is recorded */
	uint32_t window; /* pages; 0: nothing is recorded */
	uint32_t head, tail;
	uint32_t frames[2 * RECORD_WINDOW_MAX]; /* mapped, oldest first */
	struct fault_queue waiting;		/* for a zap */
	struct trace_record last;
	struct trace_encoder encoder;
};

/* Begin, if the configuration says so. 0 or -errno. */
int record_init(struct pager *pager);
/* End the trace; nothing if there is none. */
void record_finish(struct pager *pager);
bool record_on(const struct pager *pager);
/* Must the fault wait until there is room in the window? Then the record is consumed. */
bool record_holds(struct pager *pager, uint32_t fault);
/* The fault is answered: a reference. */
void record_fault(struct pager *pager, const struct fault *fault);
/* Once a turn: those that wait go on when they can. */
void record_run(struct pager *pager);

#endif
