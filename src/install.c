/* SPDX-License-Identifier: MIT */
/* Installing: pages that were read go to their object, and into the region that wants them. */
#include <sys/types.h>
#include <unistd.h>

#include "core.h"

/* Fewer pages are not worth another thread. */
#define LATER_LEAST 32u
/* So many with the page that is waited for, which are copied by the time that the thread runs. */
#define DEMAND_PAGES 16u
/* A copy takes as long as so many pages that are punched; beyond a few windows of those that wait
 * the pager's thread takes its share. */
#define COPY_WEIGHT 3u
#define WEIGHT_MOST (2 * COPY_WEIGHT * IO_PAGES)

/* Put pages [i, i + run) of the read into the memfd without mapping them. */
static uint32_t install_unmapped(struct pager *pager, struct io *io, uint32_t i, uint32_t run)
{
	struct object *object = object_lookup(pager, io->object);
	/* A single region's markers were left to the copy that was not made: see object_arm. */
	if (object_protect(pager, object, io->page + i, run))
		return 0;
	ssize_t done = pwrite(object->memfd, bounce_address(&pager->bounce, io->bounce + i),
			      (size_t)run << PAGE_SHIFT, (off_t)((io->page + i) << PAGE_SHIFT));
	return done > 0 ? (uint32_t)(done >> PAGE_SHIFT) : 0;
}

/* The client's own pages go to its region only, if need be one by one: a run may cross a border of
 * its mappings. Returns how many went in before the first that did not. */
static uint32_t install_private(struct pager *pager, struct io *io, uint32_t i, uint32_t run,
				struct client *client, const struct region *region, bool protect)
{
	uint32_t in = 0;
	uint64_t done = PAGE_BYTES;
	for (; in < run && done == PAGE_BYTES; in += done == PAGE_BYTES)
		uffd_copy(client->uffd, region_address(region, io->page + i + in),
			  bounce_address(&pager->bounce, io->bounce + i + in), PAGE_BYTES, protect,
			  &done);
	return in;
}

/* Can pages [i, i + run) of the read be copied to where region maps them, in one piece? */
static bool install_maps(const struct region *region, const struct io *io, uint32_t i, uint32_t run)
{
	uint64_t first, pages;
	return !region->read_only && region->registered &&
	       region_overlap(region, io->page + i, run, &first, &pages) && pages == run;
}

/*
 * Put pages [i, i + run) into the object. In a shared region one UFFDIO_COPY allocates, fills and
 * maps them, and wakes who waits there; where that cannot be done they go in by the memfd. Returns
 * how many went in, and in *mapped how many of those by the copy.
 */
static uint32_t install_run(struct pager *pager, struct io *io, uint32_t i, uint32_t run,
			    struct client *client, struct region *region, bool protect,
			    uint32_t *mapped)
{
	uint64_t done = 0;
	if (region && install_maps(region, io, i, run))
		uffd_copy(client->uffd, region_address(region, io->page + i),
			  bounce_address(&pager->bounce, io->bounce + i),
			  (uint64_t)run << PAGE_SHIFT, protect, &done);
	uint32_t in = *mapped = (uint32_t)(done >> PAGE_SHIFT);
	if (in < run && object_is_private(object_lookup(pager, io->object)))
		in += region ? install_private(pager, io, i + in, run - in, client, region, protect)
			     : 0;
	else if (in < run)
		in += install_unmapped(pager, io, i + in, run - in);
	return in;
}

/* A page that was read ahead of no run: it is asked for, or perhaps will be. */
static void install_advised(struct pager *pager, struct object *object, uint32_t number,
			    bool demanded)
{
	struct frame *frame = frame_get(pager, number);
	if (demanded)
		COUNT(pager, client_lookup(pager, frame->client), object, pages_prefetch_used, 1);
	else
		frame->flags |= FRAME_PREFETCHED;
}

static void install_resident(struct pager *pager, struct io *io, struct object *object, uint32_t i,
			     uint32_t run, uint64_t demanded)
{
	for (uint32_t k = i; k < i + run; k++) {
		uint64_t page = io->page + k;
		object->table[page] = pte_make(PAGE_RESIDENT, io->frames[k], 0);
		object->resident_pages++;
		frame_hold(pager, io->frames[k], page != demanded);
		if (io->advised)
			install_advised(pager, object, io->frames[k], page == demanded);
		io->frames[k] = FRAME_NONE;
	}
}

/* The page that a fault asks for: is it mapped for writing, and dirty from now on? */
static bool install_written(struct pager *pager, const struct io *io, const struct object *object,
			    struct region *region, const struct fault *fault)
{
	uint64_t page = region_page(region, fault->address);
	if (object->frozen || board_locked(object))
		return false;
	if (fault->write)
		return fault_may_dirty(pager, fault, object);
	if (!io->swap || fault->own || region->read_only || object_is_private(object) ||
	    record_on(pager) || !fault_may_dirty(pager, fault, object) ||
	    !update_expected(&region->update, page))
		return false;
	if (page == region->write_next)
		region->write_next++; /* a run of writes goes on behind it */
	return true;
}

/* Runs of pages that are wanted, but the count from skip on. */
static void later_runs(struct pager *pager, struct io *io, uint32_t skip, uint32_t count,
		       struct worker_job *job)
{
	for (uint32_t i = 0, run; i < io->count; i += run) {
		run = 1;
		if (i - skip < count || !io_wanted(pager, io, i))
			continue;
		while (i + run < io->count && i + run != skip && io_wanted(pager, io, i + run))
			run++;
		if (!worker_add(
			    job, i,
			    (uint32_t)(chaos_length((uint64_t)run << PAGE_SHIFT) >> PAGE_SHIFT)))
			return;
		job->weight += run * COPY_WEIGHT;
	}
}

/* Have the worker copy the read's pages, but those count from skip on, to where region maps them.
 * False if they are better copied here. */
static bool install_later(struct pager *pager, struct io *io, const struct client *client,
			  const struct region *region, bool guess, uint32_t skip, uint32_t count)
{
	const struct object *object = object_lookup(pager, io->object);
	if (io->count < LATER_LEAST || !object_plain(object) ||
	    !install_maps(region, io, 0, io->count))
		return false;
	/* Who looks at the board must not miss that they are dirty. */
	if (guess && object->board)
		return false;
	drop_begin(pager);
	struct worker_job *job = worker_job(pager, WEIGHT_MOST);
	if (!job)
		return false;
	job->kind = WORKER_COPY;
	job->fd = client->uffd;
	job->io = (uint32_t)(io - pager->ios);
	job->weight = 0;
	job->protect = !guess;
	job->address = region_address(region, io->page);
	job->source = bounce_address(&pager->bounce, io->bounce);
	later_runs(pager, io, skip, count, job);
	if (!job->run_count)
		return false;
	io->installing = true;
	worker_begin(pager);
	return true;
}

/* Have it copy what does not lie near the demanded page, which is DEMAND_PAGES from *near on. */
static bool later_around(struct pager *pager, struct io *io, const struct client *client,
			 const struct region *region, bool guess, uint64_t demanded, uint32_t *near)
{
	uint32_t index = (uint32_t)(demanded - io->page), skip = index - index % DEMAND_PAGES;
	if (!install_later(pager, io, client, region, guess, skip, DEMAND_PAGES))
		return false;
	io->trigger = IO_PAGES; /* none: what could not be copied is not kept */
	*near = skip;
	return true;
}

/* The page that is asked for is mapped writable if it is written, others if they may be soon. */
static bool install_writable(const struct io *io, uint32_t i, uint64_t demanded, uint64_t written,
			     bool guess)
{
	return io->page + i == demanded ? demanded == written : guess;
}

/* Pages [i, i + run) of the read are mapped writable. */
static void install_guessed(struct pager *pager, const struct io *io, struct object *object,
			    uint32_t i, uint32_t run)
{
	for (uint32_t k = i; k < i + run; k++)
		guess_dirty(pager, object, io->page + k,
			    bounce_address(&pager->bounce, io->bounce + k));
}

void io_install(struct pager *pager, uint32_t number, const struct fault *fault)
{
	struct io *io = &pager->ios[number];
	struct object *object = object_lookup(pager, io->object);
	struct client *client = client_lookup(pager, fault->client);
	struct region *region = client ? region_lookup(client, fault->address) : NULL;
	uint64_t demanded = UINT64_MAX, written = UINT64_MAX;
	bool woken = false, guess = false;
	/* What is mapped only when it is asked for is seen to be. */
	bool apart = object_is_file(object) && client && learn_records(pager, client);
	if (region && region->object == io->object)
		demanded = region_page(region, fault->address);
	else
		region = NULL;
	if (region && install_written(pager, io, object, region, fault))
		written = demanded;
	if (region && io->writes && !apart)
		guess = guess_may(pager, object, region);
	if (io->staged)
		io_stage_unlink(pager, io);
	uint32_t i = 0, end = io->count;
	if (region && !apart && later_around(pager, io, client, region, guess, demanded, &i))
		end = i + DEMAND_PAGES < end ? i + DEMAND_PAGES : end;
	while (i < end) {
		if (!io_wanted(pager, io, i)) {
			i++;
			continue;
		}
		bool write = install_writable(io, i, demanded, written, guess);
		uint32_t run = 1;
		while (!apart && i + run < end && io_wanted(pager, io, i + run) &&
		       install_writable(io, i + run, demanded, written, guess) == write)
			run++;
		bool map = !apart || io->page + i == demanded;
		uint32_t mapped, in = install_run(pager, io, i, run, client, map ? region : NULL,
						  !write, &mapped);
		woken |= demanded - (io->page + i) < mapped;
		install_resident(pager, io, object, i, in, demanded);
		if (written - (io->page + i) < in)
			frame_dirty(pager, object, written);
		if (write && guess)
			install_guessed(pager, io, object, i, mapped);
		if (in < run && !object_is_private(object))
			break;		      /* no memory: the rest is undone below */
		i += in < run ? in + 1 : run; /* that one is there, or nowhere */
	}
	if (client)
		pager->answered = client->number;
	if (client && !fault->base && !woken)
		uffd_wake(client->uffd, fault->address, PAGE_BYTES);
	if (io->installing)
		return;
	uint32_t list = io->waiters;
	io->waiters = FAULT_NONE;
	io_undo(pager, io);
	io_release(pager, io);
	fault_retry_list(pager, list, false);
	object_reap(pager, object);
}

/* The region that a read ahead was for, if it still maps its pages there. */
static struct region *ahead_region(struct pager *pager, const struct io *io, struct client **client)
{
	*client = io->address ? client_lookup_same(pager, io->client, io->client_generation) : NULL;
	if (!*client)
		return NULL;
	struct region *region = region_lookup(*client, io->address);
	bool same = region && region->object == io->object &&
		    region_page(region, io->address) == io->page;
	return same ? region : NULL;
}

/* Of a staged read whose other pages are mapped, only the trigger stays. */
static void stage_trim(struct pager *pager, struct io *io)
{
	uint32_t keep = io->trigger;
	if (keep)
		bounce_free(&pager->bounce, io->bounce, keep);
	if (keep + 1 < io->count)
		bounce_free(&pager->bounce, io->bounce + keep + 1, io->count - keep - 1);
	struct object *object = object_lookup(pager, io->object);
	object->in_flight -= io->count - 1;
	pager->staged_pages -= io->count - 1;
	io->page += keep;
	io->bounce += keep;
	io->frames[0] = io->frames[keep];
	io->trigger = 0;
	io->count = 1;
}

void io_install_ahead(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	struct client *client;
	struct region *region = ahead_region(pager, io, &client);
	if (!region || learn_records(pager, client))
		return;
	bool guess = io->writes && guess_may(pager, object, region);
	if (install_later(pager, io, client, region, guess, io->trigger, 1)) {
		io_stage_unlink(pager, io);
		return;
	}
	for (uint32_t i = 0, run, mapped; i < io->count; i += run) {
		run = 1;
		if (i == io->trigger || !io_wanted(pager, io, i))
			continue;
		while (i + run < io->count && i + run != io->trigger &&
		       io_wanted(pager, io, i + run))
			run++;
		uint32_t in = install_run(pager, io, i, run, client, region, !guess, &mapped);
		install_resident(pager, io, object, i, in, UINT64_MAX);
		if (guess)
			install_guessed(pager, io, object, i, mapped);
		if (in < run)
			return; /* no memory, or no place: the rest stays staged */
	}
	if (io->trigger < io->count && io_wanted(pager, io, io->trigger))
		stage_trim(pager, io);
	else
		io_unstage_one(pager, io); /* all are mapped */
}

/* What the worker has left of a read ahead stays staged: the trigger, and what could not be copied.
 */
static void stage_rest(struct pager *pager, struct io *io)
{
	uint32_t left = 0, trigger = io->trigger;
	for (uint32_t i = 0; i < io->count; i++)
		left += io_wanted(pager, io, i);
	bool keep = left && trigger != IO_PAGES && !object_lookup(pager, io->object)->closing;
	if (!keep) {
		io_undo(pager, io);
		io_release(pager, io);
		return;
	}
	io_stage_link(pager, io);
	if (left == 1 && trigger < io->count && io_wanted(pager, io, trigger))
		stage_trim(pager, io);
}

void install_done(struct pager *pager, const struct worker_job *job)
{
	struct io *io = &pager->ios[job->io];
	struct object *object = object_lookup(pager, io->object);
	uint32_t list = io->waiters;
	for (uint32_t i = 0; i < job->run_count; i++) {
		uint32_t first = (uint32_t)job->runs[i].page, done = job->runs[i].done;
		install_resident(pager, io, object, first, done, UINT64_MAX);
		if (!job->protect)
			install_guessed(pager, io, object, first, done);
	}
	io->waiters = FAULT_NONE;
	io->installing = false;
	stage_rest(pager, io);
	/* Not handled here: this may be in the middle of something. */
	fault_wait_list(pager, list);
}

/* Map pages of a file that are in the object where client has it mapped privately, except over
 * pages of its own. What is not mapped here is by a fault. */
static void map_private(struct pager *pager, struct client *client, const struct region *region,
			uint64_t page, uint32_t count)
{
	const struct object *own = object_lookup(pager, region->object);
	uint64_t first, pages, done;
	if (!region_overlap(region, page, count, &first, &pages))
		return;
	for (uint64_t end = first + pages, run; first < end; first += run) {
		for (run = 0; first + run < end && object_pte(own, first + run) == 0; run++)
			;
		if (run)
			uffd_continue(client->uffd, region_address(region, first),
				      run << PAGE_SHIFT, true, &done);
		else
			run = 1;
	}
}

void io_install_warmup(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	struct client *client = client_lookup_same(pager, io->client, io->client_generation);
	struct region *region = NULL;
	if (client && !learn_records(pager, client))
		region = region_lookup(client, io->address);
	bool own = region && region->object == io->object;
	bool private = region && !own &&
		       object_behind(pager, object_lookup(pager, region->object)) == object;
	for (uint32_t i = 0, run, mapped; !object->closing && i < io->count; i += run) {
		run = 1;
		if (!io_wanted(pager, io, i))
			continue;
		while (i + run < io->count && io_wanted(pager, io, i + run))
			run++;
		uint32_t in =
			install_run(pager, io, i, run, client, own ? region : NULL, true, &mapped);
		install_resident(pager, io, object, i, in, UINT64_MAX);
		if (private && in)
			map_private(pager, client, region, io->page + i, in);
		if (in < run)
			break;
	}
	uint32_t list = io->waiters;
	io_undo(pager, io);
	io_release(pager, io);
	fault_retry_list(pager, list, false);
	object_reap(pager, object);
}
