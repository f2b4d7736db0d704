/* SPDX-License-Identifier: MIT */
/* sequential: one page after the other, each as often as it has records; then from the start. */
#include "workload/list.h"

enum { TOUCHES, WRITES };

static const struct workload_parameter parameters[] = {
	[TOUCHES] = {"touches", 4, 1, 1000, true, "references to a page before the next one"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct sequential {
	struct stream stream;
	uint64_t count;
};

static struct reference sequential_next(struct stream *stream)
{
	struct sequential *sequential = (struct sequential *)stream;
	const struct workload *workload = stream->workload;
	struct part part = stream_part(stream, workload->pages);
	uint64_t page = sequential->count++ / (uint64_t)workload->value[TOUCHES];
	return (struct reference){
		.page = (uint32_t)(part.first + page % (part.end - part.first)),
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_sequential = {
	.name = "sequential",
	.summary = "one page after the other, several references to each",
	.parameters = parameters,
	.pages_min = 1,
	.stream_bytes = sizeof(struct sequential),
	.next = sequential_next,
};
