/* SPDX-License-Identifier: MIT */
/*
 * working-set: for the length of a phase references fall into one small set of pages, then into
 * another. P. J. Denning, "The working set model for program behavior", CACM 11(5), 1968.
 */
#include <errno.h>
#include <stdlib.h>

#include "workload/list.h"

enum { SIZE, PHASE, OUTSIDE, WRITES };

static const struct workload_parameter parameters[] = {
	[SIZE] = {"size", 8, 0.001, 100, false, "percent of the pages in the set"},
	[PHASE] = {"phase", 20, 1, 1e9, true, "length of a phase, in references to each page"},
	[OUTSIDE] = {"outside", 1, 0, 100, false, "percent of the references to any page at all"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct working_set {
	struct stream stream;
	uint64_t left; /* references in this phase */
	uint64_t begin;
};

/* A set is a run of a permutation of the pages. */
static int working_set_create(struct workload *workload)
{
	uint32_t **page_of = workload->shared;
	*page_of = permutation_make(workload->pages, random_make(workload->seed, 0));
	return *page_of ? 0 : -ENOMEM;
}

static void working_set_destroy(struct workload *workload)
{
	uint32_t **page_of = workload->shared;
	free(*page_of);
}

static struct reference working_set_next(struct stream *stream)
{
	struct working_set *set = (struct working_set *)stream;
	const struct workload *workload = stream->workload;
	uint32_t *const *page_of = workload->shared;
	uint64_t size = workload_share(workload, workload->value[SIZE]);
	if (!set->left) {
		set->left = size * (uint64_t)workload->value[PHASE];
		set->begin = random_below(&stream->random, workload->pages);
	}
	set->left--;
	uint64_t at = random_percent(&stream->random, workload->value[OUTSIDE])
			      ? random_below(&stream->random, workload->pages)
			      : set->begin + random_below(&stream->random, size);
	return (struct reference){
		.page = (*page_of)[at % workload->pages],
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_working_set = {
	.name = "working-set",
	.summary = "phases, each with a small set of pages (Denning's model)",
	.parameters = parameters,
	.pages_min = 1,
	.shared_bytes = sizeof(uint32_t *),
	.stream_bytes = sizeof(struct working_set),
	.create = working_set_create,
	.destroy = working_set_destroy,
	.next = working_set_next,
};
