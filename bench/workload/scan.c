/* SPDX-License-Identifier: MIT */
/*
 * zipf-scan: a popular few among all pages, and now and then a scan over a part of them, which
 * goes on where the last one ended. A backup beside a database.
 */
#include <errno.h>
#include <stdlib.h>

#include "workload/list.h"
#include "workload/skew.h"

enum { THETA, SCAN, LENGTH, WRITES };

static const struct workload_parameter parameters[] = {
	[THETA] = {"theta", 0.99, 0, 10, false, "the skew between the scans"},
	[SCAN] = {"scan", 20, 0, 99, false, "percent of the references that are of scans"},
	[LENGTH] = {"length", 5, 0.001, 100, false, "percent of the pages in one scan"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the other references that write"},
	{0},
};

struct scan {
	struct skew skew;
	uint32_t *page_of;
	uint64_t length, period; /* references of one scan; from one to the next */
};

struct scan_stream {
	struct stream stream;
	uint64_t count;
	uint64_t at; /* the page that the scans have come to */
};

static int scan_create(struct workload *workload)
{
	struct scan *scan = workload->shared;
	scan->skew = skew_make(workload->pages, workload->value[THETA]);
	scan->page_of = permutation_make(workload->pages, random_make(workload->seed, 0));
	scan->length = workload_share(workload, workload->value[LENGTH]);
	scan->period = workload->value[SCAN] > 0
			       ? (uint64_t)((double)scan->length * 100 / workload->value[SCAN])
			       : UINT64_MAX;
	return scan->page_of ? 0 : -ENOMEM;
}

static void scan_destroy(struct workload *workload)
{
	struct scan *scan = workload->shared;
	free(scan->page_of);
}

static int scan_start(struct stream *stream)
{
	struct scan_stream *scan = (struct scan_stream *)stream;
	scan->at = stream_part(stream, stream->workload->pages).first;
	return 0;
}

/* The scan is the end of each period. */
static struct reference scan_next(struct stream *stream)
{
	struct scan_stream *own = (struct scan_stream *)stream;
	const struct workload *workload = stream->workload;
	const struct scan *scan = workload->shared;
	if (own->count++ % scan->period >= scan->period - scan->length && workload->value[SCAN] > 0)
		return (struct reference){.page = (uint32_t)(own->at++ % workload->pages)};
	return (struct reference){
		.page = scan->page_of[skew_draw(&scan->skew, &stream->random)],
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_scan = {
	.name = "zipf-scan",
	.summary = "a popular few, and scans in between",
	.parameters = parameters,
	.pages_min = 1,
	.shared_bytes = sizeof(struct scan),
	.stream_bytes = sizeof(struct scan_stream),
	.create = scan_create,
	.destroy = scan_destroy,
	.start = scan_start,
	.next = scan_next,
};
