/* SPDX-License-Identifier: MIT */
/*
 * Page faults: from the event to the answer.
 *
 * Nothing here allocates, logs or takes a lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core.h"
#include "faultstate.h"

#define EVENT_BATCH 32

int fault_table_init(struct pager *pager)
{
	pager->faults = calloc(FAULT_COUNT, sizeof *pager->faults);
	if (!pager->faults)
		return -ENOMEM;
	pager->fault_free = FAULT_NONE;
	pager->fault_free_count = FAULT_COUNT;
	shortage_init(pager);
	pager->frozen.head = pager->frozen.tail = FAULT_NONE;
	return 0;
}

void fault_table_finish(struct pager *pager)
{
	free(pager->faults);
}

static uint32_t fault_alloc(struct pager *pager)
{
	uint32_t number = pager->fault_free;
	if (number == FAULT_NONE)
		number = pager->fault_fresh++;
	else
		pager->fault_free = pager->faults[number].next;
	pager->fault_free_count--;
	return number;
}

static void fault_free(struct pager *pager, uint32_t number)
{
	struct pager_request *request = pager->faults[number].request;
	pager->faults[number].next = pager->fault_free;
	pager->fault_free = number;
	pager->fault_free_count++;
	if (request)
		request_part_done(pager, request, 0);
}

void fault_wait_io(struct pager *pager, struct io *io, uint32_t number)
{
	pager->faults[number].next = io->waiters;
	io->waiters = number;
}

void fault_push(struct pager *pager, struct fault_queue *queue, uint32_t number)
{
	pager->faults[number].next = FAULT_NONE;
	if (queue->head == FAULT_NONE)
		queue->head = number;
	else
		pager->faults[queue->tail].next = number;
	queue->tail = number;
	queue->count++;
}

struct client *fault_client(struct pager *pager, const struct fault *fault)
{
	return client_lookup_same(pager, fault->client, fault->client_generation);
}

void fault_done(struct pager *pager, uint32_t number)
{
	struct fault *fault = &pager->faults[number];
	struct client *client = fault_client(pager, fault);
	struct object *object = object_lookup(pager, fault->object);
	uint64_t now = clock_ns();
	uint64_t ns = now > fault->arrived_ns ? now - fault->arrived_ns : 0;
	if (client)
		histogram_add(&client->latency, ns);
	if (object)
		histogram_add(&object->latency, ns);
	record_fault(pager, fault);
	fault_free(pager, number);
}

void fault_again(struct pager *pager, struct faultstate *fs)
{
	uffd_wake(fs->client->uffd, fs->fault->address, PAGE_BYTES);
	fault_done(pager, fs->number);
}

void fault_refused(struct pager *pager, struct faultstate *fs, int error)
{
	if (fs->fault->own && error == -EAGAIN) {
		shortage_wait(pager, fs->number);
		shortage_retry(pager);
		return;
	}
	uffd_wake(fs->client->uffd, fs->fault->address, PAGE_BYTES);
	fault_done(pager, fs->number);
}

bool fault_may_dirty(const struct pager *pager, const struct fault *fault,
		     const struct object *object)
{
	if (!object_is_file(object))
		return !object_is_viewed(object);
	return shortage_may_dirty(pager, fault) && (fault->reserved || !object_sparse(object));
}

/* ---- the page is there ------------------------------------------------------------------- */

/* The page, and how many of those after it are there, up to most in all. Dirty ones may be
 * protected as well, where others have the object mapped. */
static uint64_t resident_run(const struct faultstate *fs, uint64_t most)
{
	uint64_t count = 1;
	while (count < most && pte_state(object_pte(fs->object, fs->page + count)) == PAGE_RESIDENT)
		count++;
	return count;
}

/* First write to a clean page: how many pages from it on a run of writes is going to reach. */
static uint64_t write_run(struct pager *pager, struct faultstate *fs)
{
	struct region *region = fs->region;
	uint64_t end = region->offset + region_pages(region), count = 1;
	if (fs->page == region->write_next)
		region->write_window = region->write_window ? region->write_window * 2 : 2;
	else
		region->write_window = 0;
	if (region->write_window > GUESS_PAGES)
		region->write_window = GUESS_PAGES;
	if (fs->fault->single || record_on(pager))
		region->write_window = 0;
	if (end - fs->page > region->write_window)
		end = fs->page + region->write_window;
	if (end > fs->page)
		count = resident_run(fs, end - fs->page);
	region->write_next = fs->page + count;
	return count;
}

/* As the kernel's page_mkwrite: a hole gets its blocks at the first write, or the writer SIGBUS.
 * Not here: the file may be locked by somebody who waits for us. */
static void fault_reserve(struct pager *pager, struct faultstate *fs, uint64_t count)
{
	if (!io_reserve(pager, fs->object, fs->page, (uint32_t)count, fs->number))
		shortage_wait(pager, fs->number);
}

void fault_reserved(struct pager *pager, uint32_t number, uint32_t count, bool full)
{
	struct fault *fault = &pager->faults[number];
	if (!full)
		fault->reserved = (uint8_t)count;
	else if (count > 1)
		fault->single = true;
	else
		fault->full = true;
	fault_handle(pager, number);
}

void fault_write(struct pager *pager, struct faultstate *fs)
{
	if (fs->fault->full && !(fs->pte & PTE_DIRTY)) {
		fault_fail(pager, fs->number);
		return;
	}
	if (object_is_file(fs->object) && !shortage_may_dirty(pager, fs->fault)) {
		/* It would wait in vain for a frame, where nothing can leave. */
		if (pager->stopping)
			fault_push(pager, &pager->frozen, fs->number);
		else
			shortage_wait(pager, fs->number);
		return;
	}
	struct object *object = fs->object;
	uint64_t count = 1;
	if (object_is_viewed(object)) {
		if (!push_fault(pager, fs))
			return;
	} else if (fs->fault->reserved) {
		object->reserved_page = fs->page;
		object->reserved_end = fs->page + fs->fault->reserved;
		/* What was behind may have given way to another mapping meanwhile. */
		uint64_t left = fs->region->offset + region_pages(fs->region) - fs->page;
		count = resident_run(fs, left < fs->fault->reserved ? left : fs->fault->reserved);
		fs->region->write_next = fs->page + count;
	} else {
		count = write_run(pager, fs);
		bool reserved =
			fs->page >= object->reserved_page && fs->page < object->reserved_end;
		bool sparse = object_sparse(object); /* asks the file */
		if (sparse && !reserved) {
			fault_reserve(pager, fs, count);
			return;
		}
		if (sparse && count > object->reserved_end - fs->page)
			count = object->reserved_end - fs->page;
	}
	frame_dirty(pager, object, fs->page);
	if (count > 1)
		count = 1 + guess_follow(pager, object, fs->page + 1, count - 1);
	update_written(&fs->region->update, fs->page);
	stream_written(&fs->region->streams, fs->page);
	frame_referenced(pager, (uint32_t)pte_number(fs->pte));
	COUNT(pager, fs->client, fs->object, faults_write, 1);
	uint64_t address = region_address(fs->region, fs->page);
	if (uffd_protect(fs->client->uffd, address, count << PAGE_SHIFT, false))
		uffd_wake(fs->client->uffd, address, PAGE_BYTES);
	fault_done(pager, fs->number);
}

/*
 * The memfd has no page where we keep one resident: a client that may write the object has
 * punched it. The contents are its slot's or file's again, as after an eviction.
 */
void fault_lost(struct pager *pager, struct faultstate *fs)
{
	struct frame *frame = frame_get(pager, (uint32_t)pte_number(fs->pte));
	if (frame->flags & (FRAME_WRITEBACK | FRAME_RECLAIM)) {
		shortage_wait(pager, fs->number);
		return;
	}
	if (fs->pte & PTE_DIRTY)
		frame_clean(pager, fs->object, fs->page);
	fs->object->table[fs->page] = pte_away(frame->slot);
	fs->object->resident_pages--;
	frame_free(pager, (uint32_t)pte_number(fs->pte), false);
	fault_handle(pager, fs->number);
}

static void fault_resident(struct pager *pager, struct faultstate *fs)
{
	struct frame *frame = frame_get(pager, (uint32_t)pte_number(fs->pte));
	if (frame->flags & FRAME_PREFETCHED && !fs->fault->protect) {
		frame->flags &= (uint16_t)~FRAME_PREFETCHED;
		COUNT(pager, fs->client, fs->object, pages_prefetch_used, 1);
	}
	if (fs->fault->protect) {
		fault_write(pager, fs);
		return;
	}
	bool write = fs->fault->write && !fs->region->read_only &&
		     fault_may_dirty(pager, fs->fault, fs->object);
	uint64_t done;
	int error = uffd_continue(fs->client->uffd, region_address(fs->region, fs->page),
				  PAGE_BYTES, !write && !fs->region->read_only, &done);
	if (error == -EFAULT) {
		fault_lost(pager, fs);
		return;
	}
	if (error) {
		fault_refused(pager, fs, error);
		return;
	}
	if (write)
		frame_dirty(pager, fs->object, fs->page);
	frame_referenced(pager, (uint32_t)pte_number(fs->pte));
	if (!fs->fault->major)
		COUNT(pager, fs->client, fs->object, faults_minor, 1);
	fault_done(pager, fs->number);
}

/* ---- never touched: zeros ---------------------------------------------------------------- */

/* How many pages from the fault's on, of that run or (NULL) of none, are worth having with it: one,
 * while it is not sure that there is a run forward. */
static uint32_t fault_window(struct pager *pager, const struct faultstate *fs,
			     const struct stream *run)
{
	if (fs->fault->single || !run || run->stride != 1 || run->window == STREAM_FIRST)
		return 1;
	return prefetch_window(pager, fs->region, run);
}

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

static void fault_zero(struct pager *pager, struct faultstate *fs)
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

/*
 * The memfd of a guarded object (see object_guard) has a page that we did not put in. While it is
 * being read in, the read replaces it; else it goes.
 */
static void fault_foreign(struct faultstate *fs)
{
	fs->fault->present = false;
	if (pte_state(fs->pte) != PAGE_READING)
		fallocate(fs->object->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)(fs->page << PAGE_SHIFT), PAGE_BYTES);
}

/* ---- dispatch ---------------------------------------------------------------------------- */

/* Do those who write to the object wait, for a fork or a write(2)? */
static bool fault_frozen(const struct pager *pager, const struct object *object)
{
	return object->frozen || board_wait(pager, object);
}

void fault_handle(struct pager *pager, uint32_t number)
{
	struct fault *fault = &pager->faults[number];
	struct faultstate fs = {.number = number, .fault = fault};
	fs.client = fault_client(pager, fault);
	if (!fs.client) {
		fault_free(pager, number);
		return;
	}
	fs.region = region_lookup(fs.client, fault->address);
	if (!fs.region) {
		fault_again(pager, &fs);
		return;
	}
	fs.object = object_lookup(pager, fs.region->object);
	if (fault->object != fs.object->number)
		fault->reserved = 0; /* what was, was in another file */
	fault->object = fs.object->number;
	fs.page = region_page(fs.region, fault->address);
	if (!fault->own)
		learn_touch(fs.region->learned, fs.page);
	if (fault->write && fault_frozen(pager, fs.object)) {
		fault_push(pager, &pager->frozen, number);
		return;
	}
	fs.pte = object_pte(fs.object, fs.page);
	if (object_is_private(fs.object)) {
		private_fault(pager, &fs);
		return;
	}
	if (fault->present && pte_state(fs.pte) != PAGE_RESIDENT)
		fault_foreign(&fs);
	switch (pte_state(fs.pte)) {
	case PAGE_RESIDENT:
		fault_resident(pager, &fs);
		break;
	case PAGE_READING:
		fault_join(pager, &fs);
		break;
	case PAGE_ABSENT:
		if (!object_is_file(fs.object)) {
			fault_zero(pager, &fs);
			break;
		}
		/* fall through */
	case PAGE_SWAPPED:
		fault_read_in(pager, &fs);
		break;
	}
}

static void fault_event(struct pager *pager, struct client *client, const struct uffd_msg *event,
			uint64_t now)
{
	if (event->event != UFFD_EVENT_PAGEFAULT)
		return;
	uint64_t flags = event->arg.pagefault.flags;
	uint32_t number = fault_alloc(pager);
	pager->faults[number] = (struct fault){
		.address = event->arg.pagefault.address & ~(uint64_t)(PAGE_BYTES - 1),
		.arrived_ns = now,
		.client = client->number,
		.client_generation = client->generation,
		.next = FAULT_NONE,
		.thread = event->arg.pagefault.feat.ptid,
		.write = flags & (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP),
		.protect = flags & UFFD_PAGEFAULT_FLAG_WP,
		.present = flags & UFFD_PAGEFAULT_FLAG_MINOR,
	};
	pager->latency.events++;
	if (!record_holds(pager, number) && !chaos_holds_fault(pager, number))
		fault_handle(pager, number);
}

bool fault_at(struct pager *pager, const struct client *client, uint64_t address,
	      struct pager_request *request)
{
	if (pager->fault_free_count < EVENT_BATCH)
		return false;
	uint32_t number = fault_alloc(pager);
	pager->faults[number] = (struct fault){
		.address = address,
		.arrived_ns = pager->now_ns,
		.client = client->number,
		.client_generation = client->generation,
		.next = FAULT_NONE,
		.single = true,
		.own = true,
		.request = request,
	};
	if (request)
		request->pending++;
	fault_handle(pager, number);
	return true;
}

void fault_read(struct pager *pager, struct client *client)
{
	struct uffd_msg events[EVENT_BATCH];
	client->ready = true;
	if (pager->fault_free_count < EVENT_BATCH)
		return;
	/* The client shares the file description and may clear O_NONBLOCK: never block on it. */
	struct iovec vector = {events, sizeof events};
	ssize_t bytes = preadv2(client->uffd, &vector, 1, -1, RWF_NOWAIT);
	/* There are no more: the next one makes the poll complete anew. */
	client->ready = bytes == sizeof events;
	if (bytes <= 0)
		return;
	uint64_t now = clock_ns();
	for (size_t i = 0; i < (size_t)bytes / sizeof *events; i++)
		fault_event(pager, client, &events[i], now);
}

/* ---- waiting ----------------------------------------------------------------------------- */

void fault_retry_list(struct pager *pager, uint32_t list, bool single)
{
	while (list != FAULT_NONE) {
		uint32_t next = pager->faults[list].next;
		pager->faults[list].single |= single;
		fault_handle(pager, list);
		list = next;
	}
}

void fault_wait_list(struct pager *pager, uint32_t list)
{
	for (uint32_t next; list != FAULT_NONE; list = next) {
		next = pager->faults[list].next;
		shortage_wait(pager, list);
	}
	shortage_retry(pager);
}

static uint32_t queue_take(struct fault_queue *queue)
{
	uint32_t list = queue->head;
	queue->head = queue->tail = FAULT_NONE;
	queue->count = 0;
	return list;
}

void fault_retry_queue(struct pager *pager, struct fault_queue *queue)
{
	fault_retry_list(pager, queue_take(queue), false);
}

uint32_t fault_fail_queue(struct pager *pager, struct fault_queue *queue)
{
	uint32_t list = queue_take(queue), count = 0;
	while (list != FAULT_NONE) {
		uint32_t next = pager->faults[list].next;
		count += fault_fail(pager, list);
		list = next;
	}
	return count;
}
