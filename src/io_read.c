/* SPDX-License-Identifier: MIT */
/* Reads: from the fault to the page in the object. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

/* What nobody has asked for yet must not keep others from reading and writing. */
#define STAGED_MAX    (IO_COUNT / 4)
#define STAGED_OLD_NS 100000000 /* nobody will */

uint32_t io_readable(const struct object *object, uint64_t page, uint32_t count)
{
	uint64_t first = object_pte(object, page);
	enum page_state state = pte_state(first);
	if (state != PAGE_SWAPPED && !(state == PAGE_ABSENT && object_is_file(object)))
		return 0;
	uint32_t run = 1;
	while (run < count) {
		uint64_t pte = object_pte(object, page + run);
		if (pte_state(pte) != state ||
		    (state == PAGE_SWAPPED && pte_number(pte) != pte_number(first) + run))
			break;
		run++;
	}
	return run;
}

/* A record for a read of count pages into bounce, which is given back if there is none. */
static struct io *read_make(struct pager *pager, struct object *object, uint64_t page,
			    uint32_t count, uint32_t bounce, uint32_t *number)
{
	uint64_t first = object_pte(object, page);
	struct io *io = io_alloc(pager, IO_READ, number);
	if (!io) {
		bounce_free(&pager->bounce, bounce, count);
		return NULL;
	}
	io->count = count;
	io->bounce = bounce;
	/* So that all walks see these pages, and every write. */
	if (object_arm(pager, object, page, count)) {
		io_release(pager, io);
		return NULL;
	}
	io->swap = pte_state(first) == PAGE_SWAPPED;
	io->object = object->number;
	io->page = page;
	io->next = page + count;
	io->place = (io->swap ? pte_number(first) : page) << PAGE_SHIFT;
	io->bytes = count << PAGE_SHIFT;
	return io;
}

/* A frame for a page of the read, which is on its way now. */
static void read_page(struct pager *pager, struct client *client, struct object *object,
		      struct io *io, uint32_t i)
{
	uint32_t number = frame_alloc(pager, client, object, io->page + i);
	io->frames[i] = number;
	if (number == FRAME_NONE)
		return;
	struct frame *frame = frame_get(pager, number);
	frame->io = (uint32_t)(io - pager->ios);
	if (io->swap)
		frame->slot = (io->place >> PAGE_SHIFT) + i;
	object->table[io->page + i] = pte_make(PAGE_READING, number, 0);
}

static void read_start(struct pager *pager, struct object *object, struct io *io)
{
	object->in_flight += io->count;
	pager->io_reads++;
	pager->io_warmups += io->warmup;
	io_submit(pager, io);
}

uint32_t io_read(struct pager *pager, struct client *client, struct object *object, uint64_t page,
		 uint32_t count, uint32_t min_count, uint32_t *number)
{
	uint32_t room = frame_available(pager, client, object);
	if (count > IO_PAGES)
		count = IO_PAGES;
	if (count > 1 && count > room / 2) /* leave some to demand */
		count = room / 2 ? room / 2 : 1;
	if (count < min_count || !room)
		return 0;
	count = io_readable(object, page, count);
	uint32_t bounce = io_bounce(pager, &count, min_count < count ? min_count : count);
	if (bounce == BOUNCE_NONE && io_unstage(pager, IO_PAGES))
		bounce = io_bounce(pager, &count, 1);
	struct io *io = bounce == BOUNCE_NONE
				? NULL
				: read_make(pager, object, page, count, bounce, number);
	if (!io)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		read_page(pager, client, object, io, i);
	read_start(pager, object, io);
	return count;
}

void io_stretch_add(struct io_stretch *stretch, uint64_t page)
{
	uint32_t i = (uint32_t)(page - stretch->page);
	stretch->wanted[i / 64] |= 1ull << (i % 64);
	stretch->count = i + 1;
}

bool io_read_stretch(struct pager *pager, struct client *client, struct object *object,
		     const struct io_stretch *stretch, uint32_t *number)
{
	uint32_t bounce = bounce_alloc(&pager->bounce, stretch->count);
	struct io *io = bounce == BOUNCE_NONE ? NULL
					      : read_make(pager, object, stretch->page,
							  stretch->count, bounce, number);
	if (!io)
		return false;
	io->warmup = stretch->warmup;
	for (uint32_t i = 0; i < stretch->count; i++)
		if (stretch->wanted[i / 64] >> (i % 64) & 1)
			read_page(pager, client, object, io, i);
		else
			io->frames[i] = FRAME_NONE;
	read_start(pager, object, io);
	return true;
}

/* Is this page of the read still wanted? If not, its frame is freed. */
static bool read_wanted(struct pager *pager, struct io *io, uint32_t index)
{
	uint32_t number = io->frames[index];
	if (number == FRAME_NONE)
		return false;
	if (!(frame_get(pager, number)->flags & FRAME_ORPHAN))
		return true;
	frame_free(pager, number, false);
	io->frames[index] = FRAME_NONE;
	return false;
}

/* Give the pages back to where they were, as if the read had never been. */
static void read_undo(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	for (uint32_t i = 0; i < io->count; i++) {
		if (!read_wanted(pager, io, i))
			continue;
		struct frame *frame = frame_get(pager, io->frames[i]);
		object->table[io->page + i] = pte_away(frame->slot);
		frame_free(pager, io->frames[i], false);
	}
	object->in_flight -= io->count;
}

void io_read_failed(struct pager *pager, struct io *io, int error)
{
	struct object *object = object_lookup(pager, io->object);
	pager_warn(pager, "read", io->swap ? NULL : object, error);
	uint32_t list = io->waiters, count = io->count;
	read_undo(pager, io);
	io_release(pager, io);
	if (count > 1) {
		fault_retry_list(pager, list, true);
	} else {
		while (list != FAULT_NONE) {
			uint32_t next = pager->faults[list].next;
			struct client *client = client_lookup(pager, pager->faults[list].client);
			COUNT(pager, client, object, read_errors, 1);
			fault_fail(pager, list);
			list = next;
		}
	}
	object_reap(pager, object);
}

/* Pages that the file does not have any more are as if they had not been read: who waits for one
 * finds it beyond the end. */
static void read_cut(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	uint64_t pages = object_pages_look(object);
	for (uint32_t i = 0; i < io->count; i++) {
		if (io->page + i < pages || !read_wanted(pager, io, i))
			continue;
		object->table[io->page + i] = pte_make(PAGE_ABSENT, 0, 0);
		frame_free(pager, io->frames[i], false);
		io->frames[i] = FRAME_NONE;
	}
}

static void stage_unlink(struct pager *pager, struct io *io)
{
	if (io->staged_prev == IO_NONE)
		pager->staged_head = io->staged_next;
	else
		pager->ios[io->staged_prev].staged_next = io->staged_next;
	if (io->staged_next == IO_NONE)
		pager->staged_tail = io->staged_prev;
	else
		pager->ios[io->staged_next].staged_prev = io->staged_prev;
	pager->staged_pages -= io->count;
	pager->staged_count--;
	io->staged = false;
}

static void stage_link(struct pager *pager, struct io *io)
{
	uint32_t number = (uint32_t)(io - pager->ios);
	io->staged = true;
	io->staged_ns = pager->now_ns;
	io->staged_prev = pager->staged_tail;
	io->staged_next = IO_NONE;
	if (pager->staged_tail == IO_NONE)
		pager->staged_head = number;
	else
		pager->ios[pager->staged_tail].staged_next = number;
	pager->staged_tail = number;
	pager->staged_pages += io->count;
	pager->staged_count++;
}

static void unstage(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	stage_unlink(pager, io);
	read_undo(pager, io);
	io_release(pager, io);
	object_reap(pager, object);
}

bool io_unstage(struct pager *pager, uint32_t pages)
{
	bool any = false;
	while (pager->staged_head != IO_NONE && (!any || pager->bounce.free_pages < pages)) {
		unstage(pager, &pager->ios[pager->staged_head]);
		any = true;
	}
	return any;
}

bool io_ahead_room(struct pager *pager)
{
	while (pager->staged_count + pager->io_reads >= STAGED_MAX &&
	       pager->staged_head != IO_NONE &&
	       pager->now_ns - pager->ios[pager->staged_head].staged_ns > STAGED_OLD_NS)
		unstage(pager, &pager->ios[pager->staged_head]);
	return pager->staged_count + pager->io_reads < STAGED_MAX;
}

void io_unstage_object(struct pager *pager, const struct object *object)
{
	uint32_t number = object->number;
	for (uint32_t next, i = pager->staged_head; i != IO_NONE; i = next) {
		next = pager->ios[i].staged_next;
		if (pager->ios[i].object == number)
			unstage(pager, &pager->ios[i]);
	}
}

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

/*
 * Put pages [i, i + run) into the object. In a shared region one UFFDIO_COPY allocates, fills and
 * maps them, and wakes who waits there; where that cannot be done they go in by the memfd. Returns
 * how many went in, and in *mapped how many of those by the copy.
 */
static uint32_t install_run(struct pager *pager, struct io *io, uint32_t i, uint32_t run,
			    struct client *client, struct region *region, bool protect,
			    uint32_t *mapped)
{
	uint64_t first, pages, done = 0;
	if (region && !region->read_only && region->registered &&
	    region_overlap(region, io->page + i, run, &first, &pages) && first == io->page + i &&
	    pages == run)
		uffd_copy(client->uffd, region_address(region, first),
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

static void install_resident(struct pager *pager, struct io *io, struct object *object, uint32_t i,
			     uint32_t run, uint64_t demanded)
{
	for (uint32_t k = i; k < i + run; k++) {
		uint64_t page = io->page + k;
		object->table[page] = pte_make(PAGE_RESIDENT, io->frames[k], 0);
		object->resident_pages++;
		frame_hold(pager, io->frames[k], page != demanded);
		io->frames[k] = FRAME_NONE;
	}
}

/* The page that a fault asks for: is it mapped for writing, and dirty from now on? */
static bool install_written(struct pager *pager, const struct io *io, const struct object *object,
			    struct region *region, const struct fault *fault)
{
	uint64_t page = region_page(region, fault->address);
	if (object->frozen || !fault_may_dirty(pager, fault, object))
		return false;
	if (fault->write)
		return true;
	if (!io->swap || fault->own || region->read_only || object_is_private(object) ||
	    record_on(pager) || !update_expected(&region->update, page))
		return false;
	if (page == region->write_next)
		region->write_next++; /* a run of writes goes on behind it */
	return true;
}

void io_install(struct pager *pager, uint32_t number, const struct fault *fault)
{
	struct io *io = &pager->ios[number];
	struct object *object = object_lookup(pager, io->object);
	struct client *client = client_lookup(pager, fault->client);
	struct region *region = client ? region_lookup(client, fault->address) : NULL;
	uint64_t demanded = UINT64_MAX, written = UINT64_MAX;
	bool woken = false;
	/* What is mapped only when it is asked for is seen to be. */
	bool apart = object_is_file(object) && client && learn_records(pager, client);
	if (region && region->object == io->object)
		demanded = region_page(region, fault->address);
	else
		region = NULL;
	if (region && install_written(pager, io, object, region, fault))
		written = demanded;
	if (io->staged)
		stage_unlink(pager, io);
	for (uint32_t i = 0; i < io->count;) {
		if (!read_wanted(pager, io, i)) {
			i++;
			continue;
		}
		/* A written page is mapped writable, so it goes by itself. */
		bool write = io->page + i == written;
		uint32_t run = 1;
		while (!write && !apart && i + run < io->count && read_wanted(pager, io, i + run) &&
		       io->page + i + run != written)
			run++;
		bool map = !apart || io->page + i == demanded;
		uint32_t mapped, in = install_run(pager, io, i, run, client, map ? region : NULL,
						  !write, &mapped);
		woken |= demanded - (io->page + i) < mapped;
		install_resident(pager, io, object, i, in, demanded);
		if (write && in)
			frame_dirty(pager, object, demanded);
		if (in < run && !object_is_private(object))
			break;		      /* no memory: the rest is undone below */
		i += in < run ? in + 1 : run; /* that one is there, or nowhere */
	}
	uint32_t list = io->waiters;
	io->waiters = FAULT_NONE;
	read_undo(pager, io);
	io_release(pager, io);
	if (client)
		pager->answered = client->number;
	if (client && !fault->base && !woken)
		uffd_wake(client->uffd, fault->address, PAGE_BYTES);
	fault_retry_list(pager, list, false);
	object_reap(pager, object);
}

void io_read_ahead(struct pager *pager, uint32_t number, const struct client *client,
		   uint64_t address)
{
	struct io *io = &pager->ios[number];
	io->client = client->number;
	io->client_generation = client->generation;
	io->address = address;
}

/* The region that a read ahead was for, if it still maps its pages there. */
static struct region *ahead_region(struct pager *pager, const struct io *io, struct client **client)
{
	*client = io->address ? client_lookup(pager, io->client) : NULL;
	if (!*client || (*client)->generation != io->client_generation)
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

/* Map all pages of a staged read but the trigger: when a run reaches that, the answer is one page,
 * and the program goes on while another window comes in. */
static void install_ahead(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	struct client *client;
	struct region *region = ahead_region(pager, io, &client);
	if (!region || learn_records(pager, client))
		return;
	for (uint32_t i = 0, run, mapped; i < io->count; i += run) {
		run = 1;
		if (i == io->trigger || !read_wanted(pager, io, i))
			continue;
		while (i + run < io->count && i + run != io->trigger &&
		       read_wanted(pager, io, i + run))
			run++;
		uint32_t in = install_run(pager, io, i, run, client, region, true, &mapped);
		install_resident(pager, io, object, i, in, UINT64_MAX);
		if (in < run)
			return; /* no memory, or no place: the rest stays staged */
	}
	if (io->trigger < io->count && read_wanted(pager, io, io->trigger))
		stage_trim(pager, io);
	else
		unstage(pager, io); /* all are mapped */
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

/* The pages of a warm-up go to the object and, where they are not recorded, into the region. */
static void install_warmup(struct pager *pager, struct io *io)
{
	struct object *object = object_lookup(pager, io->object);
	struct client *client = client_lookup(pager, io->client);
	struct region *region = NULL;
	if (client && client->generation == io->client_generation && !learn_records(pager, client))
		region = region_lookup(client, io->address);
	bool own = region && region->object == io->object;
	bool private = region && !own &&
		       object_behind(pager, object_lookup(pager, region->object)) == object;
	for (uint32_t i = 0, run, mapped; !object->closing && i < io->count; i += run) {
		run = 1;
		if (!read_wanted(pager, io, i))
			continue;
		while (i + run < io->count && read_wanted(pager, io, i + run))
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
	read_undo(pager, io);
	io_release(pager, io);
	fault_retry_list(pager, list, false);
	object_reap(pager, object);
}

void io_read_done(struct pager *pager, uint32_t number)
{
	struct io *io = &pager->ios[number];
	struct object *object = object_lookup(pager, io->object);
	uint32_t first = io->waiters;
	if (io->ended)
		read_cut(pager, io);
	if (io->warmup) {
		COUNT(pager, client_lookup(pager, io->client), object, pages_read, io->count);
		install_warmup(pager, io);
		return;
	}
	if (first == FAULT_NONE) {
		struct frame *frame = NULL;
		for (uint32_t i = 0; i < io->count && !frame; i++)
			if (read_wanted(pager, io, i))
				frame = frame_get(pager, io->frames[i]);
		struct client *client = frame ? client_lookup(pager, frame->client) : NULL;
		COUNT(pager, client, object, pages_read, io->count);
		stage_link(pager, io);
		if (!frame || object->closing)
			unstage(pager, io); /* nobody can want it any more */
		else
			install_ahead(pager, io);
		return;
	}
	struct fault *fault = &pager->faults[first];
	struct client *client = client_lookup(pager, fault->client);
	COUNT(pager, client, object, pages_read, io->count);
	io->waiters = fault->next;
	struct fault copy = *fault; /* io_install handles other faults, records come and go */
	io_install(pager, number, &copy);
	fault_installed(pager, first);
}
