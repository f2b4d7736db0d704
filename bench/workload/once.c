/* SPDX-License-Identifier: MIT */
/*
 * once: used once, not to be kept. A part of the references goes to pages that come by in order and
 * do not come again for a long time; the others to some pages that are popular as by Zipf's law.
 */
#include "workload/list.h"
#include "workload/skew.h"

enum { ONCE, HOT, THETA, WRITES };

static const struct workload_parameter parameters[] = {
	[ONCE] = {"once", 50, 0, 100, false, "percent of the references that are not repeated"},
	[HOT] = {"hot", 20, 0.001, 99.999, false, "percent of the pages that are used again"},
	[THETA] = {"theta", 0.6, 0, 10, false, "the skew among those"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct once {
	struct stream stream;
	uint64_t count; /* pages that have come by */
};

static int once_create(struct workload *workload)
{
	struct skew *skew = workload->shared;
	*skew = skew_make(workload_share(workload, workload->value[HOT]), workload->value[THETA]);
	return 0;
}

/* The hot pages are the first ones. */
static struct reference once_next(struct stream *stream)
{
	struct once *once = (struct once *)stream;
	const struct workload *workload = stream->workload;
	uint32_t hot = workload_share(workload, workload->value[HOT]);
	uint64_t page;
	if (random_percent(&stream->random, workload->value[ONCE])) {
		struct part part = stream_part(stream, workload->pages - hot);
		page = hot + part.first + once->count++ % (part.end - part.first);
	} else {
		page = skew_draw(workload->shared, &stream->random);
	}
	return (struct reference){
		.page = (uint32_t)page,
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_once = {
	.name = "once",
	.summary = "used once, not to be kept: pages that pass by beside a hot few",
	.parameters = parameters,
	.pages_min = 2,
	.shared_bytes = sizeof(struct skew),
	.stream_bytes = sizeof(struct once),
	.create = once_create,
	.next = once_next,
};
