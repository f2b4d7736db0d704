/* SPDX-License-Identifier: MIT */
/* Missing faults: the page is not resident. It is filled with zeros, or read, or on its way. */
#include <errno.h>
#include <fcntl.h>

#include "core.h"
#include "faultstate.h"

/* ---- runs of accesses -------------------------------------------------------------------- */

/* How many pages from the fault's on, of that run or (NULL) of none, are worth having with it: one,
 * while it is not sure that there is a run forward. */
static uint32_t fault_window(struct pager *pager, const struct faultstate *fs,
			     const struct stream *run)
{
	if (fs->fault->single || !run || run->stride != 1 || run->window == STREAM_FIRST)
		return 1;
	return prefetch_window(pager, fs->region, run);
}

/* The run has gone on: what was brought in for it before has been asked for. */
static void run_goes_on(struct pager *pager, const struct faultstate *fs, struct stream *run)
{
	COUNT(pager, fs->client, fs->object, pages_prefetch_used, run->issued);
	run->issued = 0;
}

/* So many pages beside the fault's have come in for the run. */
static void run_issued(struct pager *pager, const struct faultstate *fs, struct stream *run,
		       uint32_t pages)
{
	COUNT(pager, fs->client, fs->object, pages_prefetched, pages);
	run->issued += pages;
}

/* ---- never touched: zeros ---------------------------------------------------------------- */

/* How many absent pages from the fault's on are worth filling now. */
static uint32_t zero_count(struct pager *pager, const struct faultstate *fs, struct stream *run)
{
	uint32_t window = fault_window(pager, fs, run);
	uint32_t room = frame_available(pager, fs->client, fs->object);
	uint64_t left = fs->region->offset + region_pages(fs->region) - fs->page;
	if (window > ZERO_PAGES)
		window = ZERO_PAGES;
	if (window > room / 4)
		window = room / 4;
	if (window > left)
		window = (uint32_t)left;
	uint32_t count = 1;
	while (count < window && pte_state(object_pte(fs->object, fs->page + count)) == PAGE_ABSENT)
		count++;
	if (count > 1)
		run->next = fs->page + count;
	return count;
}

static void zero_resident(struct pager *pager, struct faultstate *fs, struct stream *run,
			  const uint32_t *frames, uint32_t count, bool dirty)
{
	for (uint32_t i = 0; i < count; i++) {
		fs->object->table[fs->page + i] = pte_make(PAGE_RESIDENT, frames[i], 0);
		fs->object->resident_pages++;
		frame_hold(pager, frames[i], i > 0);
		if (dirty)
			frame_dirty(pager, fs->object, fs->page + i);
	}
	if (run) {
		run_goes_on(pager, fs, run);
		run_issued(pager, fs, run, count - 1);
	}
}

void fault_zero(struct pager *pager, struct faultstate *fs)
{
	bool goes_on;
	struct stream *stream = prefetch_zeros(fs->region, fs->page, fs->fault, &goes_on);
	struct stream *run = goes_on ? stream : NULL;
	uint32_t frames[ZERO_PAGES], want = zero_count(pager, fs, run), count = 0;
	bool write = fs->fault->write && fault_may_dirty(pager, fs->fault, fs->object);
	while (count < want) {
		frames[count] = frame_alloc(pager, fs->client, fs->object, fs->page + count);
		if (frames[count] == FRAME_NONE)
			break;
		count++;
	}
	if (!count) {
		shortage_wait(pager, fs->number);
		return;
	}
	frame_demand(pager, fs->client, fs->object, fs->page);
	uint64_t address = region_address(fs->region, fs->page),
		 bytes = (uint64_t)count << PAGE_SHIFT;
	uint64_t done = 0;
	int error = object_arm(pager, fs->object, fs->page, count);
	if (!error)
		error = write ? uffd_zero(fs->client->uffd, address, bytes, &done)
			      : uffd_copy(fs->client->uffd, address, pager->zeros, bytes, true,
					  &done);
	uint32_t filled = (uint32_t)(done >> PAGE_SHIFT);
	for (uint32_t i = filled; i < count; i++)
		frame_free(pager, frames[i], false);
	if (filled)
		zero_resident(pager, fs, run, frames, filled, write);
	if (filled < count && error == -EEXIST) /* not ours: a client wrote to its memfd */
		fallocate(fs->object->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)((fs->page + filled) << PAGE_SHIFT), PAGE_BYTES);
	if (!filled && error == -ENOENT && count > 1) {
		/* The range crosses a border of the client's mappings (it changed a part of one).
		 */
		fs->fault->single = true;
		fault_handle(pager, fs->number);
		return;
	}
	if (!filled && error == -ENOMEM) {
		shortage_wait(pager, fs->number);
		return;
	}
	if (!filled) {
		fault_refused(pager, fs, error);
		return;
	}
	COUNT(pager, fs->client, fs->object, faults_zero, 1);
	fault_done(pager, fs->number);
}

/* ---- in its file or in swap -------------------------------------------------------------- */

/* Read the fault's page with its unit, from *first on, all of it or nothing; of a run, where what
 * goes before has to come with it. Returns how many pages are on their way. */
static uint32_t read_unit(struct pager *pager, struct faultstate *fs, const struct stream *run,
			  uint64_t end, uint64_t *first, uint32_t *io)
{
	if (fs->fault->single || (run && run->stride != -1))
		return 0;
	if (unit_probes(pager, fs->region, fs->page)) {
		if (!run && !fs->fault->sampled)
			unit_learn(pager, fs->region, fs->object, fs->page, end);
		fs->fault->sampled = true;
		return 0;
	}
	uint32_t count = unit_span(pager, fs->region, fs->object, fs->page, end, first);
	if (count == 1)
		return 0;
	return io_read(pager, fs->client, fs->object, *first, count, count, io);
}

void fault_read_in(struct pager *pager, struct faultstate *fs)
{
	uint64_t limit = UINT64_MAX;
	if (object_is_file(fs->object) &&
	    fs->page >= (limit = object_pages_seen(fs->object, fs->page))) {
		fault_fail(pager, fs->number);
		return;
	}
	bool run;
	struct stream *stream = prefetch_stream(pager, fs->region, fs->page, fs->fault, &run);
	uint32_t window = fault_window(pager, fs, run ? stream : NULL), io;
	uint64_t end = fs->region->offset + region_pages(fs->region), first = fs->page;
	end = end < limit ? end : limit;
	if (window > end - fs->page)
		window = (uint32_t)(end - fs->page);
	uint32_t count = read_unit(pager, fs, run ? stream : NULL, end, &first, &io);
	if (!count) {
		first = fs->page;
		count = io_read(pager, fs->client, fs->object, first, window, 1, &io);
	}
	if (!count) {
		shortage_wait(pager, fs->number);
		return;
	}
	frame_demand(pager, fs->client, fs->object, fs->page);
	pager->ios[io].demand = true;
	pager->io_demands++;
	pager->ios[io].writes = chaos_writes(pager, run && stream->writes);
	fs->fault->major = true;
	COUNT(pager, fs->client, fs->object, faults_major, 1);
	fault_wait_io(pager, &pager->ios[io], fs->number);
	if (!run) {
		COUNT(pager, fs->client, fs->object, pages_unit, count - 1);
		return;
	}
	if (count > 1)
		stream->next = stream->stride > 0 ? first + count : first - 1;
	run_issued(pager, fs, stream, count - 1);
	prefetch_ahead(pager, fs->client, fs->region, fs->object, stream);
}

/* ---- on its way -------------------------------------------------------------------------- */

void fault_installed(struct pager *pager, uint32_t number)
{
	/* It may have gone in by the memfd, which is enough for a thread that tries again. */
	if (pager->faults[number].own || pager->faults[number].base)
		fault_handle(pager, number);
	else
		fault_done(pager, number);
}

/* The page is on its way, or read ahead and waiting for this. */
void fault_join(struct pager *pager, struct faultstate *fs)
{
	struct frame *frame = frame_get(pager, (uint32_t)pte_number(fs->pte));
	uint32_t number = frame->io;
	struct io *io = &pager->ios[number];
	bool run;
	if (io->kind == IO_ZAP || io->kind == IO_DROP) {
		fault_wait_io(pager, io, fs->number);
		return;
	}
	struct stream *stream = prefetch_stream(pager, fs->region, fs->page, fs->fault, &run);
	uint64_t after = io->next;
	if (!io->staged) {
		if (!fs->fault->major && !io->installing)
			COUNT(pager, fs->client, fs->object, faults_major, 1);
		fs->fault->major |= !io->installing;
		fault_wait_io(pager, io, fs->number);
	} else {
		COUNT(pager, fs->client, fs->object, faults_minor, 1);
		io_install(pager, number, fs->fault);
		fault_installed(pager, fs->number);
	}
	if (run) {
		run_goes_on(pager, fs, stream);
		stream_advance(stream, fs->page, after);
		prefetch_ahead(pager, fs->client, fs->region, fs->object, stream);
	}
}
