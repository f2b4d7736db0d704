/* SPDX-License-Identifier: MIT */
#include "drop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core.h"

/* ---- the thread -------------------------------------------------------------------------- */

static void job_run(const struct drop_job *job)
{
	for (uint32_t i = 0; i < job->run_count; i++)
		fallocate(job->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)job->runs[i].offset, (off_t)job->runs[i].length);
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0 && errno == EINTR)
		;
}

static void *thread_run(void *argument)
{
	struct drop *drop = argument;
	uint64_t one = 1;
	for (uint32_t next = 0;; next++) {
		wait_for(&drop->todo);
		const struct drop_job *job = &drop->jobs[next % DROP_JOBS];
		if (!job->run_count)
			return NULL;
		job_run(job);
		sem_post(&drop->done);
		/* The counter cannot overflow: there are never that many jobs unread. */
		if (write(drop->event_fd, &one, sizeof one) < 0 && errno != EAGAIN)
			return NULL;
	}
}

static bool thread_start(struct drop *drop)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&drop->thread, NULL, thread_run, drop);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return !error;
}

/* ---- life -------------------------------------------------------------------------------- */

void drop_start(struct pager *pager)
{
	struct drop *drop = &pager->drop;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || pager->config.reclaim_on_demand)
		return;
	drop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (drop->event_fd < 0)
		return;
	sem_init(&drop->todo, 0, 0);
	sem_init(&drop->done, 0, 0);
	drop->ready = thread_start(drop);
	if (drop->ready)
		drop_poll(pager);
	else
		close(drop->event_fd);
}

void drop_stop(struct pager *pager)
{
	struct drop *drop = &pager->drop;
	if (!drop->ready)
		return;
	drop_settle(pager);
	drop->jobs[drop->open % DROP_JOBS].run_count = 0;
	sem_post(&drop->todo);
	pthread_join(drop->thread, NULL);
	sem_destroy(&drop->todo);
	sem_destroy(&drop->done);
	close(drop->event_fd);
	drop->ready = false;
}

void drop_poll(struct pager *pager)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	io_uring_prep_poll_multishot(sqe, pager->drop.event_fd, POLLIN);
	io_uring_sqe_set_data64(sqe, ring_data(RING_DROP, 0));
}

/* ---- handing over ------------------------------------------------------------------------ */

/* Nobody sees the object's pages but through its own regions, each fault on which comes to where
 * records are waited for. */
static bool object_plain(const struct object *object)
{
	return !object_is_private(object) && !object->privates && !object->frozen;
}

static bool job_open(struct pager *pager, struct object *object)
{
	struct drop *drop = &pager->drop;
	struct drop_job *job = &drop->jobs[drop->open % DROP_JOBS];
	if (drop->open - drop->reaped == DROP_JOBS)
		return false;
	struct io *io = io_alloc(pager, IO_DROP, &job->io);
	if (!io)
		return false;
	io->object = object->number;
	io->span = 0;
	job->memfd = object->memfd;
	job->run_count = 0;
	return true;
}

/* The job for count more pages of object, which has one page at least. */
static struct drop_job *job_for(struct pager *pager, struct object *object, uint32_t count)
{
	struct drop *drop = &pager->drop;
	struct drop_job *job = &drop->jobs[drop->open % DROP_JOBS];
	bool fits = drop->filling && pager->ios[job->io].object == object->number &&
		    job->run_count < DROP_RUNS && pager->ios[job->io].span + count <= IO_PAGES;
	if (fits)
		return job;
	drop_begin(pager);
	drop->filling = job_open(pager, object);
	return drop->filling ? &drop->jobs[drop->open % DROP_JOBS] : NULL;
}

bool drop_later(struct pager *pager, struct object *object, const uint32_t *frames, uint32_t count)
{
	struct drop_job *job =
		pager->drop.ready && object_plain(object) ? job_for(pager, object, count) : NULL;
	if (!job)
		return false;
	struct io *io = &pager->ios[job->io];
	uint64_t page = frame_get(pager, frames[0])->page;
	for (uint32_t i = 0; i < count; i++) {
		frame_get(pager, frames[i])->io = job->io;
		object->table[page + i] = pte_make(PAGE_READING, frames[i], 0);
		io->frames[io->span++] = frames[i];
	}
	object->resident_pages -= count;
	object->in_flight += count;
	job->runs[job->run_count].offset = page << PAGE_SHIFT;
	job->runs[job->run_count++].length = (uint64_t)count << PAGE_SHIFT;
	return true;
}

void drop_begin(struct pager *pager)
{
	struct drop *drop = &pager->drop;
	if (!drop->filling)
		return;
	drop->filling = false;
	drop->open++;
	sem_post(&drop->todo);
}

/* ---- taking back ------------------------------------------------------------------------- */

static void page_left(struct pager *pager, struct object *object, uint32_t number)
{
	const struct frame *frame = frame_get(pager, number);
	object->table[frame->page] = pte_away(frame->slot);
	pageout_count(pager, object, frame);
	frame_free(pager, number, true);
}

static void job_done(struct pager *pager, uint32_t number)
{
	struct io *io = &pager->ios[number];
	struct object *object = object_lookup(pager, io->object);
	for (uint32_t i = 0; i < io->span; i++)
		page_left(pager, object, io->frames[i]);
	/* Not handled here: this may be in the middle of something. */
	for (uint32_t next, fault = io->waiters; fault != FAULT_NONE; fault = next) {
		next = pager->faults[fault].next;
		shortage_wait(pager, fault);
	}
	object->in_flight -= io->span;
	io_release(pager, io);
}

/* The oldest job has ended. */
static void job_reap(struct pager *pager)
{
	struct drop *drop = &pager->drop;
	job_done(pager, drop->jobs[drop->reaped++ % DROP_JOBS].io);
}

void drop_reap(struct pager *pager)
{
	struct drop *drop = &pager->drop;
	uint64_t count;
	if (read(drop->event_fd, &count, sizeof count) < 0 && errno != EAGAIN)
		abort();
	while (drop->reaped != drop->open && !sem_trywait(&drop->done))
		job_reap(pager);
	for (uint32_t i = 1; pager->closing_objects && i < pager->object_room; i++)
		if (pager->objects[i])
			object_reap(pager, pager->objects[i]);
}

void drop_settle(struct pager *pager)
{
	struct drop *drop = &pager->drop;
	drop_begin(pager);
	while (drop->reaped != drop->open) {
		wait_for(&drop->done);
		job_reap(pager);
	}
}
