/* SPDX-License-Identifier: MIT */
/*
 * Prefetch: windows that double while accesses run on, and collapse on a random fault.
 *
 * A region follows several runs at once. The pages of a window that the demanded read brings
 * along are mapped with it. The windows after it are read at the same time. When one has come in,
 * all its pages are mapped but the first, which stays in bounce memory ("staged"; short windows
 * stay there as a whole): the fault on it tells that the run goes on, is answered with one page,
 * and starts the read of the next window.
 */
#include "core.h"

#define WINDOW_FIRST	  4u
#define WINDOW_SEQUENTIAL 64u
#define DEPTH		  3u
#define SINGLES_MAX	  32u /* reads of one page: several runs' must fit beside each other */
#define STRIDE_MAX	  (1 << 16)

static struct stream *stream_oldest(struct region *region)
{
	struct stream *oldest = &region->streams[0];
	for (uint32_t i = 1; i < REGION_STREAMS; i++)
		if (region->streams[i].tick < oldest->tick)
			oldest = &region->streams[i];
	return oldest;
}

/* Does a fault on page continue the run, a little late or early (other threads) included? */
static bool stream_continues(const struct stream *stream, uint64_t page)
{
	if (!stream->window || !stream->tick)
		return false;
	if (stream->stride == 1)
		return page >= stream->next && page < stream->next + stream->window / 2 + 1;
	return page == stream->last + (uint64_t)stream->stride;
}

/* A second fault near the last one may begin a run. */
static bool stream_begins(struct stream *stream, uint64_t page)
{
	int64_t step = (int64_t)(page - stream->last);
	if (!stream->tick || stream->window || !step || step > STRIDE_MAX || step < -STRIDE_MAX)
		return false;
	if (step == 1 || step == -1 || step == stream->stride) {
		stream->stride = step;
		stream->window = WINDOW_FIRST / 2;
		return true;
	}
	return false;
}

struct stream *prefetch_stream(struct region *region, uint64_t page, bool *run)
{
	struct stream *near = NULL;
	uint32_t tick = ++region->stream_tick;
	for (uint32_t i = 0; i < REGION_STREAMS; i++) {
		struct stream *stream = &region->streams[i];
		*run = stream_continues(stream, page) || stream_begins(stream, page);
		if (*run) {
			if (stream->window < IO_PAGES)
				stream->window *= 2;
			stream->last = page;
			stream->tick = tick;
			return stream;
		}
		int64_t step = (int64_t)(page - stream->last);
		if (stream->tick && !stream->window && step < STRIDE_MAX && step > -STRIDE_MAX)
			near = stream;
	}
	*run = false;
	/* A stream that has seen one fault learns its stride from the second. */
	struct stream *stream = near ? near : stream_oldest(region);
	*stream = (struct stream){
		.last = page,
		.next = page + 1,
		.ahead = page + 1,
		.stride = near ? (int64_t)(page - near->last) : 0,
		.tick = tick,
	};
	/* Where a mapping begins, or on request, a run forward is the better guess. */
	if (region->advice == ADVICE_SEQUENTIAL || page == region->offset) {
		stream->stride = 1;
		stream->window =
			region->advice == ADVICE_SEQUENTIAL ? WINDOW_SEQUENTIAL : WINDOW_FIRST;
	}
	return stream;
}

uint32_t prefetch_window(struct pager *pager, const struct region *region,
			 const struct stream *stream)
{
	struct object *object = object_behind(pager, object_lookup(pager, region->object));
	const struct pool *pool = pool_of(pager, client_lookup(pager, region->client), object);
	uint32_t capacity = pool_capacity(pager, pool);
	uint32_t window = stream->window;
	uint32_t most = pager->config.prefetch_max_pages;
	if (region->advice == ADVICE_RANDOM || !most || shortage_stalled(pager))
		return 1;
	if (most > IO_PAGES)
		most = IO_PAGES;
	if (most > capacity / 16)
		most = capacity / 16;
	window = window < most ? window : most;
	return chaos_window(pager, window ? window : 1);
}

/* Pages from page on that can be read together, up to count: 0 if the first cannot be. */
static uint32_t readable_run(const struct object *object, uint64_t page, uint32_t count)
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

/* Start reads of [page, page + count), for region if it is not NULL; returns how many pages are on
 * their way. */
static uint32_t prefetch_range(struct pager *pager, struct client *client,
			       const struct region *region, struct object *object, uint64_t page,
			       uint32_t count)
{
	uint32_t issued = 0, io;
	for (uint64_t end = page + count; page < end;) {
		uint32_t run = readable_run(object, page, (uint32_t)(end - page));
		if (!run) {
			page++;
			continue;
		}
		uint32_t got = io_read(pager, client, object, page, run, run < 8 ? run : 8, &io);
		if (!got)
			break;
		if (region)
			io_read_ahead(pager, io, client, region_address(region, page));
		issued += got;
		page += got;
	}
	COUNT(pager, client, object, pages_prefetched, issued);
	return issued;
}

static bool prefetch_room(struct pager *pager, const struct client *client,
			  const struct object *object, uint32_t pages)
{
	uint32_t room = frame_available(pager, client, object);
	return room > pages && pager->bounce.free_pages > pages + BOUNCE_PAGES / 8 &&
	       io_ahead_room(pager);
}

/* Keep DEPTH windows on their way beyond the one that is in use: a device answers two long reads in
 * little more time than one. */
static void forward_ahead(struct pager *pager, struct client *client, const struct region *region,
			  struct object *object, struct stream *stream, uint32_t window,
			  uint64_t end)
{
	if (stream->ahead < stream->next)
		stream->ahead = stream->next;
	while (stream->ahead < stream->next + DEPTH * window && stream->ahead < end &&
	       prefetch_room(pager, client, object, window)) {
		uint64_t left = end - stream->ahead;
		uint32_t count = window < left ? window : (uint32_t)left;
		stream->issued +=
			prefetch_range(pager, client, region, object, stream->ahead, count);
		stream->ahead += count;
	}
}

void prefetch_ahead(struct pager *pager, struct client *client, struct region *region,
		    struct object *object, struct stream *stream)
{
	uint32_t window = prefetch_window(pager, region, stream);
	uint64_t end = region->offset + region_pages(region);
	if (window <= 1 || !prefetch_room(pager, client, object, window))
		return;
	if (object_is_file(object)) {
		uint64_t pages = object_pages_seen(object, stream->last);
		end = pages < end ? pages : end;
	}
	if (stream->stride == 1) {
		forward_ahead(pager, client, region, object, stream, window, end);
		return;
	}
	/* Backward and strided: single pages, each of which is asked for by its own fault. */
	uint32_t singles = window / 2 < SINGLES_MAX ? window / 2 : SINGLES_MAX;
	for (uint32_t i = 1; i <= singles && prefetch_room(pager, client, object, 1); i++) {
		uint64_t page = stream->last + (uint64_t)(stream->stride * i);
		if (page < region->offset || page >= end)
			break;
		stream->issued += prefetch_range(pager, client, region, object, page, 1);
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
	if (count && prefetch_room(pager, client, object, (uint32_t)count))
		prefetch_range(pager, client, NULL, object, page, (uint32_t)count);
}
