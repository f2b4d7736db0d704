/* SPDX-License-Identifier: MIT */
/*
 * Dropping: clean pages leave their memfds by the worker.
 *
 * Punching a page out of a memfd takes the kernel microseconds, which the pager's thread has better
 * uses for while faults come fast. Pages that go that way are in transit meanwhile (PAGE_READING,
 * with a record of kind IO_DROP): who faults on one waits for the record, and its frame is free
 * when the page is.
 *
 * All functions: the pager's thread only.
 */
#ifndef PAGERD_DROP_H
#define PAGERD_DROP_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct object;
struct worker_job;

struct drop {
	struct worker_job *job; /* that is given pages, or NULL */
};

/* Hand over frames, neighbours in object: resident, clean and FRAME_RECLAIM. False if they are to
 * be dropped at once: the object's pages are seen through others, or the worker has enough to do.
 */
bool drop_later(struct pager *pager, struct object *object, const uint32_t *frames, uint32_t count);
/* What was handed over is begun. */
void drop_begin(struct pager *pager);
/* The pages of a record have left: their frames are free. */
void drop_done(struct pager *pager, uint32_t io);

#endif
