/* SPDX-License-Identifier: MIT */
/*
 * loop: the same pages in the same order again and again. The worst case of fifo and lru when it
 * does not fit by one page.
 */
#include "workload/list.h"

enum { LENGTH, WRITES };

static const struct workload_parameter parameters[] = {
	[LENGTH] = {"length", 100, 0.001, 100, false, "percent of the pages that it goes over"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct loop {
	struct stream stream;
	uint64_t count;
};

static struct reference loop_next(struct stream *stream)
{
	struct loop *loop = (struct loop *)stream;
	const struct workload *workload = stream->workload;
	struct part part = stream_part(stream, workload_share(workload, workload->value[LENGTH]));
	return (struct reference){
		.page = (uint32_t)(part.first + loop->count++ % (part.end - part.first)),
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_loop = {
	.name = "loop",
	.summary = "the same pages in the same order again and again",
	.parameters = parameters,
	.pages_min = 1,
	.stream_bytes = sizeof(struct loop),
	.next = loop_next,
};
