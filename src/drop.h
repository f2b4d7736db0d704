/* SPDX-License-Identifier: MIT */
/*
 * Dropping: clean pages leave their memfds on a thread of its own.
 *
 * Punching a page out of a memfd takes the kernel microseconds, which the pager's thread has better
 * uses for while faults come fast. Pages that go that way are in transit meanwhile (PAGE_READING,
 * with a record of kind IO_DROP): who faults on one waits for the record, and its frame is free
 * when the page is.
 *
 * The thread knows descriptors and ranges, no more. All functions: the pager's thread only.
 */
#ifndef PAGERD_DROP_H
#define PAGERD_DROP_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

struct pager;
struct object;

#define DROP_JOBS 8u
#define DROP_RUNS 64u

/* Pages of one object. */
struct drop_job {
	int memfd;
	uint32_t io;
	uint32_t run_count;
	struct {
		uint64_t offset; /* bytes */
		uint64_t length;
	} runs[DROP_RUNS];
};

struct drop {
	bool ready; /* the thread runs */
	pthread_t thread;
	int event_fd; /* a job has ended */
	sem_t todo;
	sem_t done;
	uint32_t reaped; /* jobs [reaped, open) are the thread's */
	uint32_t open;
	bool filling; /* and jobs[open] gets its pages */
	struct drop_job jobs[DROP_JOBS];
};

/* The pager's thread begins: start the other, which has its rights, where there is a processor for
 * it. Where it cannot be had, all pages are dropped at once. */
void drop_start(struct pager *pager);
/* Wait until all that was handed over is done, and end the thread. */
void drop_stop(struct pager *pager);
/* Have the pager's ring tell of jobs that ended. */
void drop_poll(struct pager *pager);

/* Hand over frames, neighbours in object: resident, clean and FRAME_RECLAIM. False if they are to
 * be dropped at once: the object's pages are seen through others, or the thread has enough to do.
 */
bool drop_later(struct pager *pager, struct object *object, const uint32_t *frames, uint32_t count);
/* What was handed over is begun. */
void drop_begin(struct pager *pager);
/* Jobs have ended: their frames are free, and objects that waited for it may go. */
void drop_reap(struct pager *pager);
/* Wait until all that was handed over is done. Frees no object, and handles no fault. */
void drop_settle(struct pager *pager);

#endif
