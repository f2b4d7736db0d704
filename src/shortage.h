/* SPDX-License-Identifier: MIT */
/*
 * Shortage: faults that wait for a frame, and what is done when none can be freed.
 *
 * A fault that finds no frame waits here and is handled again as soon as frames come free. Frames
 * come free by themselves while reads and writes are in flight. When none are, and reclaim, having
 * gone through every page, could not free one for SHORTAGE_NS (all pages are dirty and swap is
 * full, or its device fails), the accesses that wait get SIGBUS; and those that come after them at
 * once, until a write succeeds or memory is given back.
 *
 * Writes may be in flight and not end: whoever writes a file with write(2) holds its lock, which
 * write-back of the file's pages wants, and holds it for as long as his own page fault, on the
 * memory that he writes from, waits for a frame. Or a client's agent is to save a page of its own,
 * whose copy the kernel has not made yet, so that it waits for the page of the file first. When
 * nothing has come free for LOAN_NS, some frames more than the budget are lent; and no more pages
 * of files become dirty, which would eat them up, until write-back goes on. They are lent as well
 * where one fault has waited for long, and frames came free for others only, with other limits.
 * And where all memory is that of clients that are late (see lapse.h): they are left to the others
 * until those have answered.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_SHORTAGE_H
#define PAGERD_SHORTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

struct shortage {
	struct fault_queue waiting;
	bool frames_freed;	 /* since the waiting faults were last handled */
	bool serving;		 /* they are being handled */
	bool hopeless;		 /* faults have failed, and nothing has changed since */
	uint64_t progress_ns;	 /* when a frame was last freed, or nobody waited for one */
	uint64_t checked_ns;	 /* when it was last looked after that */
	uint64_t retried_ns;	 /* the progress_ns after which all were handled once more */
	uint64_t write_retry_ns; /* writes failed: none are started before this */
	uint32_t loan_pages;	 /* frames that may be in use beyond the budget and all limits */
	uint64_t loan_ns;	 /* when it was last raised */
	uint64_t lent_ns;	 /* since when it is not 0 */
	bool stalled;		 /* no write to a file has ended since then */
	bool overdue;		 /* a fault has waited long while others went on, or what was lent
				  * has not come back for long; until it is back */
};

void shortage_init(struct pager *pager);

/* This fault waits for a frame. Consumes the record, now or later. */
void shortage_wait(struct pager *pager, uint32_t fault);
/* A frame was freed. */
void shortage_frame_freed(struct pager *pager);
/* A limit was raised, or a record or bounce memory released: those that wait may go on. */
void shortage_retry(struct pager *pager);
/* A write failed with this -errno; it is tried again, but not at once. */
void shortage_write_failed(struct pager *pager, int error);
/* A write has succeeded; file: not to swap. */
void shortage_written(struct pager *pager, bool file);
/* No write to a file is in flight any more: none is held up. */
void shortage_flows(struct pager *pager);
/* Memory was given back, and its slots with it. */
void shortage_discarded(struct pager *pager);
/* May dirty pages be written now? */
bool shortage_may_write(const struct pager *pager);

/* Handle those that wait again, if something has come free. */
void shortage_serve(struct pager *pager);
/* At the end of a turn: is there a way out, and if not, fail those that wait. Whether there is
 * more to do at once. */
bool shortage_check(struct pager *pager);
/* Write-back of files is held up: what is on its way out is not to be counted on. */
bool shortage_stalled(const struct pager *pager);
/* Whether a page of a file may become dirty now; else the fault (NULL: there is none) has to wait.
 * At the pager's end, too: all that is changed has to get to its file. */
bool shortage_may_dirty(const struct pager *pager, const struct fault *fault);

#endif
