/* SPDX-License-Identifier: MIT */
/*
 * Prefetch: windows that double while accesses run on.
 *
 * When a run of accesses is seen, its next windows are read, all at the same time. What has come in
 * is mapped but for the first page of each window in the order of the accesses, the trigger, which
 * stays in bounce memory ("staged"; short windows stay there as a whole): the fault on it tells
 * that the run goes on, is answered with one page, and starts the read of another window.
 */
#include <stdlib.h>

#include "core.h"

#define WINDOW_SEQUENTIAL 64u
#define WINDOW_MAPPED	  8u /* a shorter one may be of no run: it stays staged as a whole */
#define DEPTH		  3u /* windows ahead; a device answers several long reads at once */
#define SINGLES_MAX	  32u
#define SINGLES_DEPTH	  2u
/* Reads of one page each cost the device more than reading what lies between them, too, up to this
 * stride: measured, 13 us a read at depth 32 and 1.4 us a page. */
#define GAP_STRIDE 8

/* The run that a fault on page, which comes in with so many pages, goes on or begins. */
static struct stream *stream_of(struct region *region, uint64_t page, uint32_t unit,
				struct fault *fault, bool *run)
{
	*run = false;
	if (region->advice == ADVICE_RANDOM)
		return NULL;
	if (fault->followed)
		return stream_again(&region->streams, page, run);
	fault->followed = true;
	struct stream *stream = stream_fault(&region->streams, page, unit, run);
	/* Where a mapping begins, or on request, a run forward is the better guess. */
	if (!stream && (region->advice == ADVICE_SEQUENTIAL || page == region->offset)) {
		bool asked = region->advice == ADVICE_SEQUENTIAL;
		stream = stream_begin(&region->streams, page,
				      asked ? WINDOW_SEQUENTIAL : stream_first(unit));
		*run = true;
	}
	if (*run)
		stream_access(stream, page, fault->write);
	return stream;
}

struct stream *prefetch_zeros(struct region *region, uint64_t page, struct fault *fault, bool *run)
{
	return stream_of(region, page, 1, fault, run);
}

struct stream *prefetch_stream(struct pager *pager, struct region *region, uint64_t page,
			       struct fault *fault, bool *run)
{
	uint32_t unit = unit_pages(pager, region);
	struct stream *stream = stream_of(region, page, unit, fault, run);
	if (*run && stream->window <= 2 * stream_first(unit) && unit_probes(pager, region, page)) {
		stream->window = stream_first(unit);
		*run = false;
	}
	return stream;
}

uint32_t prefetch_window(struct pager *pager, const struct region *region,
			 const struct stream *stream)
{
	uint32_t capacity = pool_capacity(pager, pool_of_region(pager, region));
	uint32_t most = pager->config.prefetch_max_pages;
	if (!stream || !most || shortage_stalled(pager))
		return 1;
	uint32_t window = stream->window, active = stream_active(&region->streams);
	if (most > IO_PAGES)
		most = IO_PAGES;
	if (most > capacity / 16)
		most = capacity / 16;
	/* Bounce memory for the windows of all runs, and as much for others; and what is there
	 * ahead must not be evicted before it is used. */
	if (active > 1 && most > BOUNCE_PAGES / 2 / DEPTH / active)
		most = BOUNCE_PAGES / 2 / DEPTH / active;
	if (active > 1 && most > capacity / 4 / DEPTH / active)
		most = capacity / 4 / DEPTH / active;
	window = window < most ? window : most;
	return chaos_window(pager, window ? window : 1);
}

/* Part of a run that is read ahead. */
struct ahead {
	struct client *client;
	struct region *region; /* that is to map it when it has come in, or NULL: it stays staged */
	struct object *object;
	bool writes;	  /* to be mapped writable */
	bool advised;	  /* there is no run */
	uint64_t trigger; /* the page that stays staged */
	uint64_t next;	  /* where the run goes on after it */
};

/* Whether the read covers the trigger or not. */
static void ahead_started(struct pager *pager, const struct ahead *ahead, uint32_t number)
{
	struct io *io = &pager->ios[number];
	if (ahead->region)
		io_read_ahead(pager, number, ahead->client,
			      region_address(ahead->region, io->page));
	io->writes = chaos_writes(pager, ahead->writes);
	io->advised = ahead->advised;
	io->trigger = (uint32_t)(ahead->trigger - io->page);
	io->next = ahead->next;
}

/* Start reads of [page, page + count); returns how many pages are on their way. */
static uint32_t ahead_range(struct pager *pager, const struct ahead *ahead, uint64_t page,
			    uint32_t count)
{
	uint32_t issued = 0, io;
	for (uint64_t end = page + count; page < end;) {
		uint32_t run = io_readable(ahead->object, page, (uint32_t)(end - page));
		if (!run) {
			page++;
			continue;
		}
		uint32_t got = io_read(pager, ahead->client, ahead->object, page, run,
				       run < 8 ? run : 8, &io);
		if (!got)
			break;
		ahead_started(pager, ahead, io);
		issued += got;
		page += got;
	}
	return issued;
}

/* Can the page be read together with first, if what lies between them is read, too? */
static bool readable_with(const struct object *object, uint64_t first, uint64_t page)
{
	uint64_t a = object_pte(object, first), b = object_pte(object, page);
	if (pte_state(b) != pte_state(a))
		return false;
	return pte_state(a) == PAGE_ABSENT || pte_number(b) == pte_number(a) + (page - first);
}

/* Start reads of count pages from page on, step apart, with what lies between them. */
static uint32_t ahead_spread(struct pager *pager, const struct ahead *ahead, uint64_t page,
			     uint32_t step, uint32_t count)
{
	uint32_t issued = 0, number;
	for (uint32_t i = 0; i < count;) {
		struct io_stretch stretch = {.page = page + (uint64_t)step * i};
		if (!io_readable(ahead->object, stretch.page, 1)) {
			i++;
			continue;
		}
		uint32_t pages = 0;
		for (; i < count &&
		       readable_with(ahead->object, stretch.page, page + (uint64_t)step * i);
		     i++, pages++)
			io_stretch_add(&stretch, page + (uint64_t)step * i);
		if (!io_read_stretch(pager, ahead->client, ahead->object, &stretch, &number))
			break;
		ahead_started(pager, ahead, number);
		issued += pages;
	}
	return issued;
}

/* Each page by itself. */
static uint32_t ahead_singles(struct pager *pager, const struct ahead *ahead, uint64_t first,
			      int64_t stride, uint32_t count)
{
	uint32_t issued = 0;
	for (uint32_t i = 0; i < count; i++)
		issued += ahead_range(pager, ahead, first + (uint64_t)(stride * i), 1);
	return issued;
}

/* How many pages may be read ahead now, if each takes so much bounce memory; most of it is left to
 * what is asked for. */
static uint32_t prefetch_room(struct pager *pager, const struct client *client,
			      const struct object *object, uint32_t bounce)
{
	uint32_t room = frame_available(pager, client, object) / 2;
	uint32_t free = pager->bounce.free_pages, least = BOUNCE_PAGES / 8;
	if (free <= least || !io_ahead_room(pager))
		return 0;
	return room < (free - least) / bounce ? room : (free - least) / bounce;
}

/* Pages from page on, stride apart, that lie in [begin, end), up to most. */
static uint32_t steps_inside(uint64_t page, int64_t stride, uint64_t begin, uint64_t end,
			     uint32_t most)
{
	if (!most || page < begin || page >= end)
		return 0;
	uint64_t steps = stride > 0 ? (end - 1 - page) / (uint64_t)stride
				    : (page - begin) / (uint64_t)-stride;
	return steps + 1 < most ? (uint32_t)steps + 1 : most;
}

/* Read the next count pages of the run that were not asked for yet. */
static uint32_t ahead_window(struct pager *pager, struct ahead *ahead, const struct stream *stream,
			     uint32_t count)
{
	int64_t stride = stream->stride;
	uint64_t last = stream->ahead + (uint64_t)(stride * (count - 1));
	uint64_t lowest = stride > 0 ? stream->ahead : last;
	ahead->trigger = stream->ahead;
	while (ahead->trigger != last && !io_readable(ahead->object, ahead->trigger, 1))
		ahead->trigger += (uint64_t)stride;
	ahead->next = last + (uint64_t)stride;
	if (llabs(stride) == 1)
		return ahead_range(pager, ahead, lowest, count);
	if (llabs(stride) <= GAP_STRIDE)
		return ahead_spread(pager, ahead, lowest, (uint32_t)llabs(stride), count);
	return ahead_singles(pager, ahead, stream->ahead, stride, count);
}

/* How far a run may go: to the end of the region, and of the file. */
static uint64_t run_end(const struct region *region, struct object *object)
{
	uint64_t end = region->offset + region_pages(region);
	uint64_t pages = object_is_file(object) ? object_pages_seen(object, 0) : end;
	return pages < end ? pages : end;
}

/* Pages of a run in one window, and how many it is to have ahead. */
static uint32_t run_window(const struct stream *stream, uint32_t window, uint32_t *lead)
{
	uint32_t step = (uint32_t)llabs(stream->stride), depth = DEPTH;
	if (step > GAP_STRIDE) {
		window = window < SINGLES_MAX ? window : SINGLES_MAX;
		depth = SINGLES_DEPTH;
	} else if (window > IO_PAGES / step) {
		window = IO_PAGES / step;
	}
	*lead = window < WINDOW_MAPPED ? window : depth * window;
	return window;
}

void prefetch_ahead(struct pager *pager, struct client *client, struct region *region,
		    struct object *object, struct stream *stream)
{
	uint32_t window = prefetch_window(pager, region, stream), lead;
	uint32_t step = (uint32_t)llabs(stream->stride);
	if (window <= 1)
		return;
	window = run_window(stream, window, &lead);
	struct ahead ahead = {
		.client = client,
		.region = window < WINDOW_MAPPED ? NULL : region,
		.object = object,
		.writes = stream->writes,
	};
	uint64_t end = run_end(region, object);
	if (stream_lead(stream) < 0)
		stream->ahead = stream->next;
	while (stream_lead(stream) < lead) {
		uint32_t room = prefetch_room(pager, client, object, step > GAP_STRIDE ? 1 : step);
		uint32_t count = steps_inside(stream->ahead, stream->stride, region->offset, end,
					      window < room ? window : room);
		/* Short of memory, short windows, but not ever shorter ones. */
		if (!count || (room < window && room < WINDOW_MAPPED && stream_lead(stream)))
			break;
		uint32_t issued = ahead_window(pager, &ahead, stream, count);
		COUNT(pager, client, object, pages_prefetched, issued);
		stream->issued += issued;
		stream->ahead += (uint64_t)(stream->stride * count);
	}
}

void prefetch_pages(struct pager *pager, struct client *client, struct object *object,
		    uint64_t page, uint64_t count)
{
	uint64_t bytes;
	if (object_is_file(object)) {
		uint64_t pages = object_file_pages(object, &bytes);
		count = page >= pages ? 0 : count < pages - page ? count : pages - page;
	}
	if (count > IO_PAGES)
		count = IO_PAGES; /* advice: as much as one long read */
	uint32_t room = prefetch_room(pager, client, object, 1);
	if (count > room)
		count = room;
	struct ahead ahead = {
		.client = client,
		.object = object,
		.advised = true,
		.trigger = page,
		.next = page + count,
	};
	uint32_t issued = ahead_range(pager, &ahead, page, (uint32_t)count);
	COUNT(pager, client, object, pages_prefetched, issued);
}
