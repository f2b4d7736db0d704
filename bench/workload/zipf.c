/* SPDX-License-Identifier: MIT */
/* zipf: few pages are used often and many hardly ever; which ones is scrambled. */
#include <errno.h>
#include <stdlib.h>

#include "workload/list.h"
#include "workload/skew.h"

enum { THETA, WRITES };

static const struct workload_parameter parameters[] = {
	[THETA] = {"theta", 0.99, 0, 10, false, "the skew: rank r is drawn as 1 / r^theta"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct zipf {
	struct skew skew;
	uint32_t *page_of; /* by rank */
};

static int zipf_create(struct workload *workload)
{
	struct zipf *zipf = workload->shared;
	zipf->skew = skew_make(workload->pages, workload->value[THETA]);
	zipf->page_of = permutation_make(workload->pages, random_make(workload->seed, 0));
	return zipf->page_of ? 0 : -ENOMEM;
}

static void zipf_destroy(struct workload *workload)
{
	struct zipf *zipf = workload->shared;
	free(zipf->page_of);
}

static struct reference zipf_next(struct stream *stream)
{
	const struct workload *workload = stream->workload;
	const struct zipf *zipf = workload->shared;
	return (struct reference){
		.page = zipf->page_of[skew_draw(&zipf->skew, &stream->random)],
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_zipf = {
	.name = "zipf",
	.summary = "few pages often, many hardly ever (Zipf's law, scrambled)",
	.parameters = parameters,
	.pages_min = 1,
	.shared_bytes = sizeof(struct zipf),
	.stream_bytes = sizeof(struct stream),
	.create = zipf_create,
	.destroy = zipf_destroy,
	.next = zipf_next,
};
