/* SPDX-License-Identifier: MIT */
/*
 * The worker: a thread for what takes the kernel long and the pager's thread need not wait for.
 *
 * It punches ranges out of memfds, and copies pages that were read to where a client maps them. It
 * knows descriptors and ranges, no more, and takes its jobs in their order. What a job's pages are
 * meanwhile is in the pager's tables: see drop.h and install.h. The pager's thread settles, waits
 * for all jobs, before it changes what they rely on: regions, clients, what is in a memfd.
 *
 * All functions: the pager's thread only.
 */
#ifndef PAGERD_WORKER_H
#define PAGERD_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

struct pager;

#define WORKER_JOBS 32u
#define WORKER_RUNS 64u

enum worker_kind {
	WORKER_END,
	WORKER_PUNCH, /* runs of pages of fd, a memfd */
	WORKER_COPY,  /* to runs of pages of fd, a userfaultfd */
};

struct worker_run {
	uint64_t page;	/* of the memfd; or from address and source on */
	uint32_t count; /* pages */
	uint32_t done;	/* of them, when the job has ended (copies) */
};

struct worker_job {
	enum worker_kind kind;
	int fd;
	uint32_t io;	 /* the record that the pages have meanwhile */
	uint32_t weight; /* how long it takes, in pages that are punched */
	uint32_t delay_us;
	uint32_t run_count;
	bool protect;	  /* copies: mapped so */
	uint64_t address; /* of page 0 */
	const unsigned char *source;
	struct worker_run runs[WORKER_RUNS];
};

struct worker {
	bool ready; /* the thread runs */
	pthread_t thread;
	int event_fd; /* a job has ended */
	sem_t todo;
	sem_t done;
	uint32_t reaped; /* jobs [reaped, open) are the thread's */
	uint32_t open;
	uint32_t weight; /* of those */
	struct worker_job jobs[WORKER_JOBS];
};

/* The pager's thread begins: start the other, which has its rights, where there is a processor for
 * it. Where it cannot be had, the pager's thread does all by itself. */
void worker_start(struct pager *pager);
/* Wait until all jobs are done, and end the thread. */
void worker_stop(struct pager *pager);
/* Have the pager's ring tell of jobs that ended. */
void worker_poll(struct pager *pager);

/* The next job, to be filled in, with no runs yet; NULL if there is no thread or it has enough to
 * do: none with a weight above most is taken. The same one again until worker_begin. */
struct worker_job *worker_job(struct pager *pager, uint32_t most);
/* Add a run to it; false if it has no room. */
bool worker_add(struct worker_job *job, uint64_t page, uint32_t count);
/* The job that was filled in is begun. */
void worker_begin(struct pager *pager);
/* Jobs have ended: their pages are in the tables, and objects that waited for it may go. */
void worker_reap(struct pager *pager);
/* Wait until all that was begun is done. Frees no object, and handles no fault. */
void worker_settle(struct pager *pager);

#endif
