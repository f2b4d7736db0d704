/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <stddef.h>

#include "io.h"

#define RECENT	     (4 * STREAM_COUNT) /* faults, in which a run that goes on has had some */
#define LOOSE_WINDOW 16u /* so long a run may be continued a little early: there are threads */

static bool recent(const struct streams *streams, const struct stream *stream)
{
	return stream->window && streams->tick - stream->tick <= RECENT;
}

/* Steps of the run from its next page to page; false if page does not lie on it. */
static bool steps_to(const struct stream *stream, uint64_t page, int64_t *steps)
{
	int64_t distance = (int64_t)(page - stream->next);
	*steps = distance / stream->stride;
	return distance % stream->stride == 0;
}

static bool continues(const struct streams *streams, const struct stream *stream, uint64_t page)
{
	int64_t steps;
	if (page == stream->next)
		return true;
	return recent(streams, stream) && stream->window >= LOOSE_WINDOW &&
	       steps_to(stream, page, &steps) && steps > 0 && steps < stream->window;
}

static bool late(const struct streams *streams, const struct stream *stream, uint64_t page)
{
	int64_t steps;
	return recent(streams, stream) && steps_to(stream, page, &steps) && steps < 0 &&
	       -steps <= stream->window;
}

/* The page of the fault before the last age ones. */
static uint64_t fault_page(const struct streams *streams, uint32_t age)
{
	return streams->faults[(streams->fault_count - 1 - age) % STREAM_FAULTS];
}

/* Was there a fault on page, or in the unit that it is at the end of? */
static bool fault_seen(const struct streams *streams, uint64_t page, uint32_t unit)
{
	for (uint32_t age = 0; age < STREAM_FAULTS && age < streams->fault_count; age++)
		if ((fault_page(streams, age) ^ page) < unit)
			return true;
	return false;
}

/* The stride of the run that a fault on page makes of earlier ones, or 0: two neighbours, or three
 * pages at equal distances, with equally many faults of other runs between them. Units that come in
 * one after the other are a run of all pages. */
static int64_t stride_seen(const struct streams *streams, uint64_t page, uint32_t unit)
{
	if (fault_seen(streams, page - 1, page & (unit - 1) ? 1 : unit))
		return 1;
	if (fault_seen(streams, page + 1, (page + 1) & (unit - 1) ? 1 : unit))
		return -1;
	for (uint32_t age = 0; 2 * age + 1 < STREAM_FAULTS && 2 * age + 1 < streams->fault_count;
	     age++) {
		uint64_t before = fault_page(streams, age);
		int64_t stride = (int64_t)(page - before);
		if (stride && stride <= STREAM_STRIDES && stride >= -STREAM_STRIDES &&
		    fault_page(streams, 2 * age + 1) == before - (uint64_t)stride)
			return stride > 0		 ? stride > (int64_t)unit ? stride : 1
			       : stride < -(int64_t)unit ? stride
							 : -1;
	}
	return 0;
}

/* In place of the one that was continued longest ago. */
static struct stream *stream_make(struct streams *streams, uint64_t page, int64_t stride,
				  uint32_t window)
{
	struct stream *oldest = &streams->of[0];
	for (uint32_t i = 1; i < STREAM_COUNT && oldest->window; i++) {
		struct stream *stream = &streams->of[i];
		if (!stream->window || stream->tick - oldest->tick > UINT32_MAX / 2)
			oldest = stream;
	}
	*oldest = (struct stream){
		.next = page + (uint64_t)stride,
		.ahead = page + (uint64_t)stride,
		.stride = stride,
		.window = window,
		.tick = streams->tick,
	};
	return oldest;
}

struct stream *stream_begin(struct streams *streams, uint64_t page, uint32_t window)
{
	return stream_make(streams, page, 1, window);
}

static void stream_continue(struct streams *streams, struct stream *stream, uint64_t page)
{
	/* What was read ahead long ago may have gone, and who wrote then may only read now. */
	if (!recent(streams, stream)) {
		stream->ahead = page + (uint64_t)stream->stride;
		stream->writes = stream->tried = false;
	}
	stream->next = page + (uint64_t)stream->stride;
	stream->tick = streams->tick;
	if (stream->window < IO_PAGES)
		stream->window *= 2;
}

/* Of those that page would continue, or, if none, that it is late for, the one that was continued
 * last. */
static struct stream *stream_find(struct streams *streams, uint64_t page, bool *run)
{
	struct stream *found = NULL;
	*run = false;
	for (uint32_t i = 0; i < STREAM_COUNT; i++) {
		struct stream *stream = &streams->of[i];
		bool goes_on = stream->window && continues(streams, stream, page);
		if (!goes_on && (*run || !late(streams, stream, page)))
			continue;
		if (!found || goes_on > *run || stream->tick - found->tick < UINT32_MAX / 2)
			found = stream;
		*run = goes_on;
	}
	return found;
}

struct stream *stream_fault(struct streams *streams, uint64_t page, uint32_t unit, bool *run)
{
	streams->tick++;
	struct stream *stream = stream_find(streams, page, run);
	if (*run)
		stream_continue(streams, stream, page);
	if (stream)
		return stream;
	int64_t stride = stride_seen(streams, page, unit);
	*run = stride;
	if (stride)
		return stream_make(streams, page, stride, stream_first(unit));
	if (!streams->fault_count || fault_page(streams, 0) != page)
		streams->faults[streams->fault_count++ % STREAM_FAULTS] = page;
	return NULL;
}

struct stream *stream_again(struct streams *streams, uint64_t page, bool *run)
{
	struct stream *stream = stream_find(streams, page, run);
	if (*run) /* others have brought the run here meanwhile */
		stream_continue(streams, stream, page);
	else if (stream)
		*run = stream->next == page + (uint64_t)stream->stride;
	return stream;
}

void stream_access(struct stream *stream, uint64_t page, bool write)
{
	if (write)
		stream->writes = true;
	else if (stream->tried && stream->tried_page != page)
		stream->writes = false;
	stream->tried = !write;
	stream->tried_page = page;
}

void stream_written(struct streams *streams, uint64_t page)
{
	for (uint32_t i = 0; i < STREAM_COUNT; i++) {
		struct stream *stream = &streams->of[i];
		if (stream->window && stream->tried && stream->tried_page == page)
			stream_access(stream, page, true);
	}
}

void stream_advance(struct stream *stream, uint64_t page, uint64_t next)
{
	int64_t distance = (int64_t)(next - page);
	if (distance % stream->stride == 0 && distance / stream->stride > 0)
		stream->next = next;
}

int64_t stream_lead(const struct stream *stream)
{
	return (int64_t)(stream->ahead - stream->next) / stream->stride;
}

uint32_t stream_active(const struct streams *streams)
{
	uint32_t active = 0;
	for (uint32_t i = 0; i < STREAM_COUNT; i++)
		active += recent(streams, &streams->of[i]);
	return active;
}
