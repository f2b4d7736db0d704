/* SPDX-License-Identifier: MIT */
/*
 * moving: references fall into a window that moves on, one page at a time, over all pages. What
 * was frequent is so no longer: old counts mislead.
 */
#include "workload/list.h"

enum { SIZE, STAY, WRITES };

static const struct workload_parameter parameters[] = {
	[SIZE] = {"size", 10, 0.001, 100, false, "percent of the pages in the window"},
	[STAY] = {"stay", 8, 1, 1e9, true, "references before the window moves on by a page"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct moving {
	struct stream stream;
	uint64_t count;
};

static struct reference moving_next(struct stream *stream)
{
	struct moving *moving = (struct moving *)stream;
	const struct workload *workload = stream->workload;
	uint64_t begin = moving->count++ / (uint64_t)workload->value[STAY];
	uint64_t within =
		random_below(&stream->random, workload_share(workload, workload->value[SIZE]));
	return (struct reference){
		.page = (uint32_t)((begin + within) % workload->pages),
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_moving = {
	.name = "moving",
	.summary = "a window that moves on over all pages",
	.parameters = parameters,
	.pages_min = 1,
	.stream_bytes = sizeof(struct moving),
	.next = moving_next,
};
