/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core.h"
#include "thread.h"

/* ---- the thread -------------------------------------------------------------------------- */

static void run_punch(const struct worker_job *job, const struct worker_run *run)
{
	fallocate(job->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)(run->page << PAGE_SHIFT), (off_t)run->count << PAGE_SHIFT);
}

static void run_copy(const struct worker_job *job, struct worker_run *run)
{
	uint64_t offset = run->page << PAGE_SHIFT, done;
	uffd_copy(job->fd, job->address + offset, job->source + offset,
		  (uint64_t)run->count << PAGE_SHIFT, job->protect, &done);
	run->done = (uint32_t)(done >> PAGE_SHIFT);
}

static void job_run(struct worker_job *job)
{
	if (job->delay_us)
		usleep(job->delay_us);
	for (uint32_t i = 0; i < job->run_count; i++) {
		if (job->kind == WORKER_PUNCH)
			run_punch(job, &job->runs[i]);
		else
			run_copy(job, &job->runs[i]);
	}
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0 && errno == EINTR)
		;
}

static void *thread_run(void *argument)
{
	struct worker *worker = argument;
	for (uint32_t next = 0;; next++) {
		wait_for(&worker->todo);
		struct worker_job *job = &worker->jobs[next % WORKER_JOBS];
		if (job->kind == WORKER_END)
			return NULL;
		job_run(job);
		sem_post(&worker->done);
		if (!wake(worker->event_fd))
			return NULL;
	}
}

/* ---- life -------------------------------------------------------------------------------- */

void worker_start(struct pager *pager)
{
	struct worker *worker = &pager->worker;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || pager->config.reclaim_on_demand)
		return;
	worker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->event_fd < 0)
		return;
	sem_init(&worker->todo, 0, 0);
	sem_init(&worker->done, 0, 0);
	worker->ready = !thread_create(&worker->thread, NULL, thread_run, worker);
	if (worker->ready)
		worker_poll(pager);
	else
		close(worker->event_fd);
}

void worker_stop(struct pager *pager)
{
	struct worker *worker = &pager->worker;
	if (!worker->ready)
		return;
	worker_settle(pager);
	worker->jobs[worker->open % WORKER_JOBS].kind = WORKER_END;
	sem_post(&worker->todo);
	pthread_join(worker->thread, NULL);
	sem_destroy(&worker->todo);
	sem_destroy(&worker->done);
	close(worker->event_fd);
	worker->ready = false;
}

void worker_poll(struct pager *pager)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	io_uring_prep_poll_multishot(sqe, pager->worker.event_fd, POLLIN);
	io_uring_sqe_set_data64(sqe, ring_data(RING_WORKER, 0));
}

/* ---- jobs -------------------------------------------------------------------------------- */

struct worker_job *worker_job(struct pager *pager, uint32_t most)
{
	struct worker *worker = &pager->worker;
	if (!worker->ready || worker->open - worker->reaped == WORKER_JOBS || worker->weight > most)
		return NULL;
	struct worker_job *job = &worker->jobs[worker->open % WORKER_JOBS];
	job->run_count = 0;
	return job;
}

bool worker_add(struct worker_job *job, uint64_t page, uint32_t count)
{
	if (job->run_count == WORKER_RUNS)
		return false;
	job->runs[job->run_count++] = (struct worker_run){page, count, 0};
	return true;
}

void worker_begin(struct pager *pager)
{
	struct worker *worker = &pager->worker;
	struct worker_job *job = &worker->jobs[worker->open++ % WORKER_JOBS];
	job->delay_us = chaos_delay_us(pager);
	worker->weight += job->weight;
	sem_post(&worker->todo);
}

/* The oldest job has ended. */
static void job_reap(struct pager *pager)
{
	struct worker *worker = &pager->worker;
	const struct worker_job *job = &worker->jobs[worker->reaped++ % WORKER_JOBS];
	worker->weight -= job->weight;
	if (job->kind == WORKER_PUNCH)
		drop_done(pager, job->io);
	else
		install_done(pager, job);
}

void worker_reap(struct pager *pager)
{
	struct worker *worker = &pager->worker;
	uint64_t count;
	if (read(worker->event_fd, &count, sizeof count) < 0 && errno != EAGAIN)
		abort();
	while (worker->reaped != worker->open && !sem_trywait(&worker->done))
		job_reap(pager);
	for (uint32_t i = 1; pager->closing_objects && i < pager->object_room; i++)
		if (pager->objects[i])
			object_reap(pager, pager->objects[i]);
}

void worker_settle(struct pager *pager)
{
	struct worker *worker = &pager->worker;
	while (worker->reaped != worker->open) {
		wait_for(&worker->done);
		job_reap(pager);
	}
}
