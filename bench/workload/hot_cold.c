/* SPDX-License-Identifier: MIT */
/* hot-cold: most references go to a few hot pages, which are scattered; some of all write. */
#include <errno.h>
#include <stdlib.h>

#include "workload/list.h"

enum { HOT, HITS, WRITES };

static const struct workload_parameter parameters[] = {
	[HOT] = {"hot", 10, 0.001, 99.999, false, "percent of the pages that are hot"},
	[HITS] = {"hits", 90, 0, 100, false, "percent of the references to hot pages"},
	[WRITES] = {"writes", 30, 0, 100, false, "percent of the references that write"},
	{0},
};

static int hot_cold_create(struct workload *workload)
{
	uint32_t **page_of = workload->shared;
	*page_of = permutation_make(workload->pages, random_make(workload->seed, 0));
	return *page_of ? 0 : -ENOMEM;
}

static void hot_cold_destroy(struct workload *workload)
{
	uint32_t **page_of = workload->shared;
	free(*page_of);
}

static struct reference hot_cold_next(struct stream *stream)
{
	const struct workload *workload = stream->workload;
	uint32_t *const *page_of = workload->shared;
	uint32_t hot = workload_share(workload, workload->value[HOT]);
	uint64_t at = random_percent(&stream->random, workload->value[HITS])
			      ? random_below(&stream->random, hot)
			      : hot + random_below(&stream->random, workload->pages - hot);
	return (struct reference){
		.page = (*page_of)[at],
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_hot_cold = {
	.name = "hot-cold",
	.summary = "most references to a few hot pages, with writes",
	.parameters = parameters,
	.pages_min = 2,
	.shared_bytes = sizeof(uint32_t *),
	.stream_bytes = sizeof(struct stream),
	.create = hot_cold_create,
	.destroy = hot_cold_destroy,
	.next = hot_cold_next,
};
