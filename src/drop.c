/* SPDX-License-Identifier: MIT */
#include "drop.h"

#include "core.h"

/* Beyond that the pager's thread takes its share. */
#define WEIGHT_MOST 128u

static struct worker_job *job_open(struct pager *pager, struct object *object)
{
	struct worker_job *job = worker_job(pager, WEIGHT_MOST);
	struct io *io = job ? io_alloc(pager, IO_DROP, &job->io) : NULL;
	if (!io)
		return NULL;
	io->object = object->number;
	io->span = 0;
	job->kind = WORKER_PUNCH;
	job->fd = object->memfd;
	return job;
}

/* The job for count more pages of object, which has one page at least. */
static struct worker_job *job_for(struct pager *pager, struct object *object, uint32_t count)
{
	struct worker_job *job = pager->drop.job;
	if (job && pager->ios[job->io].object == object->number && job->run_count < WORKER_RUNS &&
	    pager->ios[job->io].span + count <= IO_PAGES)
		return job;
	drop_begin(pager);
	return pager->drop.job = job_open(pager, object);
}

bool drop_later(struct pager *pager, struct object *object, const uint32_t *frames, uint32_t count)
{
	struct worker_job *job = object_plain(object) ? job_for(pager, object, count) : NULL;
	if (!job)
		return false;
	struct io *io = &pager->ios[job->io];
	uint64_t page = frame_page(frame_get(pager, frames[0]));
	for (uint32_t i = 0; i < count; i++) {
		frame_get(pager, frames[i])->io = job->io;
		object->table[page + i] = pte_make(PAGE_READING, frames[i], 0);
		io->frames[io->span++] = frames[i];
	}
	object->resident_pages -= count;
	object->in_flight += count;
	worker_add(job, page, count);
	return true;
}

void drop_begin(struct pager *pager)
{
	struct worker_job *job = pager->drop.job;
	if (!job)
		return;
	job->weight = pager->ios[job->io].span;
	pager->drop.job = NULL;
	worker_begin(pager);
}

static void page_left(struct pager *pager, struct object *object, uint32_t number)
{
	const struct frame *frame = frame_get(pager, number);
	object->table[frame_page(frame)] = pte_away(frame->slot);
	pageout_count(pager, object, frame);
	frame_free(pager, number, true);
}

void drop_done(struct pager *pager, uint32_t number)
{
	struct io *io = &pager->ios[number];
	struct object *object = object_lookup(pager, io->object);
	for (uint32_t i = 0; i < io->span; i++)
		page_left(pager, object, io->frames[i]);
	/* Not handled here: this may be in the middle of something. */
	fault_wait_list(pager, io->waiters);
	object->in_flight -= io->span;
	io_release(pager, io);
}
