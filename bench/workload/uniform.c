/* SPDX-License-Identifier: MIT */
/* uniform: every page is as likely as any other. No policy is better than chance. */
#include "workload/list.h"

enum { WRITES };

static const struct workload_parameter parameters[] = {
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

static struct reference uniform_next(struct stream *stream)
{
	const struct workload *workload = stream->workload;
	return (struct reference){
		.page = (uint32_t)random_below(&stream->random, workload->pages),
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_uniform = {
	.name = "uniform",
	.summary = "every page is as likely as any other",
	.parameters = parameters,
	.pages_min = 1,
	.stream_bytes = sizeof(struct stream),
	.next = uniform_next,
};
