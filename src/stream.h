/* SPDX-License-Identifier: MIT */
/*
 * Streams: the runs of accesses in a region that prefetch follows.
 *
 * A run goes forward, backward or by strides, and several may be interleaved. It is seen from the
 * faults: one next to another, or three at equal distances, in pages and in faults. Of a
 * run that is followed few pages are faults, and each of those doubles its window.
 */
#ifndef PAGERD_STREAM_H
#define PAGERD_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#define STREAM_COUNT   16u /* interleaved runs that are followed at once, in a region */
#define STREAM_FAULTS  16u /* faults that belong to none, and may begin one */
#define STREAM_FIRST   4u  /* the first window */
#define STREAM_STRIDES (1 << 16)

struct stream {
	uint64_t next;	 /* the page whose fault would continue the run */
	uint64_t ahead;	 /* first page of the run that was not asked for yet (reads) */
	int64_t stride;	 /* in pages */
	uint32_t window; /* pages of the run that are worth having ahead; 0: no run */
	uint32_t tick;	 /* when it was last continued */
	uint32_t issued; /* pages prefetched whose use is not known yet */
	bool writes;	 /* its pages are expected to be written, not only read */
	bool tried;	 /* the last fault was a read; was its page, tried_page, written, too? */
	uint64_t tried_page;
};

struct streams {
	uint32_t tick; /* counts faults */
	uint32_t fault_count;
	uint64_t faults[STREAM_FAULTS]; /* pages, the last one at fault_count - 1 */
	struct stream of[STREAM_COUNT];
};

/* A fault on page, which comes in with its aligned unit of so many pages, a power of two: the run
 * that it belongs to, or NULL. *run: it continues or begins that run; else it is a little late, its
 * page is on the way. */
struct stream *stream_fault(struct streams *streams, uint64_t page, uint32_t unit, bool *run);
/* The same for one that had to wait, and is seen anew: nothing is learned from it twice. */
struct stream *stream_again(struct streams *streams, uint64_t page, bool *run);
/* The first window of a run. */
static inline uint32_t stream_first(uint32_t unit)
{
	return unit > STREAM_FIRST ? unit : STREAM_FIRST;
}
/* The run forward that may begin at page. */
struct stream *stream_begin(struct streams *streams, uint64_t page, uint32_t window);
/* What kind of fault continued the run. It writes from the first write on, until two faults in a
 * row were reads and the page of the first was not written before the second. */
void stream_access(struct stream *stream, uint64_t page, bool write);
/* The first write to a page that a read had brought in. */
void stream_written(struct streams *streams, uint64_t page);
/* All up to next was asked for together with page, which continues the run, if next lies on it. */
void stream_advance(struct stream *stream, uint64_t page, uint64_t next);
/* Pages of the run before ahead, from next on. */
int64_t stream_lead(const struct stream *stream);
/* Runs that were continued a short while ago. */
uint32_t stream_active(const struct streams *streams);

#endif
